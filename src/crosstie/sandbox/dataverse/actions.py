from .errors import unknown_segment


def unbound(call, segments):
    raise unknown_segment(segments[0].name)


def bound(call, table, row_id, seg):
    raise unknown_segment(seg.name)
