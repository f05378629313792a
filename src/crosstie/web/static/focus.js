// Where the focus is, in a way that outlasts what is read anew meanwhile.
const STOPS = "a[href], button, input:not([type='hidden']), select, textarea, summary, [tabindex]";

// What Tab, or an arrow key, comes to in a part of the page.
export function stopsOf(part) {
  return [...part.querySelectorAll(STOPS)].filter((each) => !each.disabled && each.checkVisibility());
}

const wordsOf = (element) => `${element.tagName} ${element.name ?? ""} ${element.getAttribute("aria-label") ?? element.textContent.trim()}`;

export function placeOf(element) {
  const scope = element.closest("dialog") ?? document.body;
  return { element, scope, words: wordsOf(element), at: stopsOf(scope).indexOf(element) };
}

// The same element, or what has come in its place: by its id, else the nearest that says the same.
function again({ element, scope, words, at }) {
  if (element.isConnected) return element;
  const sameId = element.id && document.getElementById(element.id);
  if (sameId) return sameId;
  const stops = stopsOf(scope);
  const alike = stops.filter((each) => wordsOf(each) === words);
  return alike.sort((one, other) => Math.abs(stops.indexOf(one) - at) - Math.abs(stops.indexOf(other) - at))[0];
}

export function comeBack(place) {
  const found = place && again(place);
  found?.focus();
  return Boolean(found) && document.activeElement === found;
}

// What is asked for and read anew keeps the focus: on what does the same, else on what has taken its place.
export function keepFocus() {
  const places = new WeakMap();
  const hold = ({ type, detail }) => {
    if (document.activeElement === document.body) return;
    // A choice by which a dialog is shown anew, from its top, goes on being made.
    const choosing = type === "htmx:beforeSwap" && detail.requestConfig.triggeringEvent?.type === "change";
    places.set(detail.xhr, { ...placeOf(document.activeElement), choosing });
  };
  // A button that may not be pressed again meanwhile loses the focus as soon as the request is on its way.
  document.body.addEventListener("htmx:beforeRequest", hold);
  document.body.addEventListener("htmx:beforeSwap", hold);
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const place = places.get(event.detail.xhr);
    if (!place || !(place.choosing || document.activeElement === document.body) || comeBack(place) || place.choosing) return;
    const stops = stopsOf(place.scope);
    (stops[Math.min(place.at, stops.length - 1)] ?? document.getElementById("content"))?.focus();
  });
}
