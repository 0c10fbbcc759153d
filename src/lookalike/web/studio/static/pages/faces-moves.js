// Faces put aside, moved to removed/ and back, and all that undone.
import { api, toast, tried, words } from '../lib.js';

const AT_ONCE = 100;
const DONE = { trash: 'put aside', removed: 'moved to removed', use: 'brought back into use' };

/** @param page { ws, side(), path(), hide(names), unhide(), refresh(), busy(text), pick(names) } */
export function makeMoves(page) {
  /** Move faces of the shelf that is shown; what is done at one stroke is undone at one stroke. */
  async function move(names, to) {
    const failed = {}, path = page.path();
    let act = null, moved = 0;
    page.hide(names);
    for (let at = 0; at < names.length; at += AT_ONCE) {
      if (names.length > AT_ONCE) page.busy(`${at.toLocaleString('en')} of ${words.many(names.length, 'face')} ${DONE[to]}`);
      const body = { names: names.slice(at, at + AT_ONCE), to, ...(act === null ? {} : { act }) };
      const answer = await tried(() => api.post(`${path}/move`, body));
      if (!answer) break;
      Object.assign(failed, answer.failed);
      moved = answer.names.length;
      if (moved) act = answer.act;
    }
    page.busy('');
    await page.refresh();
    page.unhide();
    if (moved) toast(`${words.many(moved, 'face')} ${DONE[to]}`, { seconds: 12, action: { label: 'Undo', run: () => undo(act) } });
    const stayed = Object.values(failed);
    if (stayed.length) toast(`${words.many(stayed.length, 'face')} stay where they are: ${stayed[0]}`, { bad: true });
  }

  /** Take back an act, or the last one. */
  async function undo(act = null) {
    const names = [], failed = [];
    let left = 1, number = act, origin = null;
    while (left > 0) {
      const answer = await tried(() => api.post(api.of(page.ws, 'faces', page.side(), 'undo'), number === null ? {} : { act: number }));
      if (!answer) break;
      ({ left, act: number, origin } = answer);
      names.push(...answer.names);
      failed.push(...Object.values(answer.failed));
      if (left) page.busy(`${names.length.toLocaleString('en')} faces brought back, ${left.toLocaleString('en')} to go`);
    }
    page.busy('');
    if (!names.length) return;
    await page.refresh();
    page.pick(names, origin);
    toast(`Undone: ${words.many(names.length - failed.length, 'face')} back where they were`);
    if (failed.length) toast(`${words.many(failed.length, 'face')} could not be taken back: ${failed[0]}`, { bad: true });
  }

  return { move, undo };
}
