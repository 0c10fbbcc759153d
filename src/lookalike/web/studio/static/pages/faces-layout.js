// Where the cells of a grid of groups lie, without a cell in the document.
const GAP = 4, CAPTION = 20, HEADER = 40;

/** @param count items; groups [{from, to}] or none; width of the grid and the least size of a cell in pixels */
export function makeLayout(count, groups, width, least) {
  const caption = least >= 72 ? CAPTION : 0;
  const columns = Math.max(1, Math.floor((width - GAP) / (least + GAP)));
  const stepX = (width - GAP) / columns, size = Math.floor(stepX) - GAP, stepY = size + caption + GAP;
  const parts = groups.length ? groups : [{ from: 0, to: count }];
  const header = groups.length ? HEADER : 0, tops = [];
  let height = 0;
  for (const part of parts) { tops.push(height); height += header + Math.ceil((part.to - part.from) / columns) * stepY; }
  height += GAP;

  /** The last part for which of(part) <= value. */
  const last = (value, of) => {
    let low = 0, high = parts.length - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (of(middle) <= value) low = middle; else high = middle - 1; }
    return low;
  };
  const partOf = (i) => last(i, (part) => parts[part].from);

  function place(i) {
    const part = partOf(i), inside = i - parts[part].from;
    return { x: GAP + (inside % columns) * stepX, y: tops[part] + header + GAP + Math.floor(inside / columns) * stepY, part, column: inside % columns };
  }

  /** Calls fn(first, behind last) of the items of each strip that touches y from top to bottom. */
  function strips(top, bottom, fn) {
    for (let part = last(Math.max(0, top), (k) => tops[k]); part < parts.length && tops[part] <= bottom; part += 1) {
      const { from, to } = parts[part], begin = tops[part] + header;
      const rows = Math.ceil((to - from) / columns);
      const first = Math.max(0, Math.floor((top - begin - GAP) / stepY)), behind = Math.min(rows, Math.floor((bottom - begin) / stepY) + 1);
      for (let row = first; row < behind; row += 1) fn(from + row * columns, Math.min(to, from + (row + 1) * columns), begin + GAP + row * stepY);
    }
  }

  /** Items in a rectangle. */
  function within(left, top, right, bottom) {
    const found = [];
    strips(top, bottom, (from, to, y) => {
      if (y > bottom || y + size + caption < top) return;
      for (let i = from; i < to; i += 1) { const x = GAP + (i - from) * stepX; if (x <= right && x + size >= left) found.push(i); }
    });
    return found;
  }

  /** The item above (-1) or below (1) one, in the same column if it can be. */
  function vertical(i, way) {
    const { part, column } = place(i), { from, to } = parts[part];
    const next = i + way * columns;
    if (next >= from && next < to) return next;
    if (way > 0 && Math.floor((to - 1 - from) / columns) > Math.floor((i - from) / columns)) return to - 1;
    const other = parts[part + way];
    if (!other) return i;
    const start = way > 0 ? other.from : other.from + Math.floor((other.to - 1 - other.from) / columns) * columns;
    return Math.min(other.to - 1, start + column);
  }

  /** Headers [part, y] between top and bottom. */
  function headers(top, bottom) {
    const found = [];
    if (header) for (let part = last(Math.max(0, top), (k) => tops[k]); part < parts.length && tops[part] <= bottom; part += 1) found.push([part, tops[part]]);
    return found;
  }

  return { columns, height, size, caption, stepX, stepY, place, strips, within, vertical, headers };
}
