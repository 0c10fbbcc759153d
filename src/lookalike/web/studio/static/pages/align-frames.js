// Pictures of frames, as wide as the screen needs them; the next one is fetched ahead.
import { Refused } from '../lib.js';

const KEPT = 8;

export function makePictures(path) {
  const kept = new Map();
  let ahead = null;
  const key = (n, width) => `${n}:${width}`;

  async function load(n, width, options = {}) {
    const known = kept.get(key(n, width));
    if (known) return known;
    const response = await fetch(`${path}/frame?n=${n}&w=${width}`, options);
    if (!response.ok) throw new Refused(response.status, (await response.json().catch(() => ({}))).error ?? `the studio answered ${response.status}`);
    const bitmap = await createImageBitmap(await response.blob());
    kept.set(key(n, width), bitmap);
    while (kept.size > KEPT) { const [oldest] = kept.keys(); kept.delete(oldest); }
    return bitmap;
  }
  return {
    load: (n, width) => { ahead?.abort(); return load(n, width); },
    /** Fetch a frame that will be wanted soon. */
    prepare(n, width) {
      ahead?.abort();
      ahead = new AbortController();
      load(n, width, { signal: ahead.signal }).catch(() => {});
    },
    stop: () => ahead?.abort(),
  };
}
