#!/bin/sh
# A browser for the tests of the pages: the machine's own, else its distribution's where this user may install it.
# Without one the tests of the pages are skipped, and say so.
[ -n "$CHROMIUM" ] && exit 0
for name in chromium chromium-browser; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
command -v apt-get >/dev/null 2>&1 || { echo "Install Chromium, or set CHROMIUM to its path, for the tests of the pages." >&2; exit 0; }
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
# Downloading as root works where the user that apt takes for it cannot write into the folder for temporary files.
options="-q -q -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0"
echo "Installing Chromium for the tests of the pages." >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get $options update >/dev/null &&
    $as_root apt-get $options install -y --no-install-recommends chromium fonts-dejavu-core >/dev/null ||
    echo "Chromium could not be installed: the tests of the pages are skipped." >&2
exit 0
