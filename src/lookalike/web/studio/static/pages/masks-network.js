// The mask network on the page of masks: asked for one face or for all, taught what was drawn; polygons carried between faces.
import { api, asked, el, sheet, toast, tried, words } from '../lib.js';
import { forms, makeForm } from '../form.js';
import { isOver, onJobs, share, start, title } from '../jobs.js';
import { Docs } from './masks-docs.js';

const REFRESH_MS = 3000, MORE_ITERATIONS = 600, FEW = 30;
const SIDES = ['src', 'dst'];

export class Network {
  constructor(ws, side, base) {
    Object.assign(this, { ws, side, base, docs: Docs.of(base), states: new Map(), facts: null, busy: false, refreshed: 0 });
    this.applyHere = () => this.apply();
    this.applyToAll = () => this.queueApply();
  }
  /** Take the editor in hand; answers how to stop. */
  join(editor) {
    this.editor = editor;
    const { ui } = editor;
    ui.apply.onclick = this.applyHere;
    ui['apply-all'].onclick = this.applyToAll;
    ui['take-out'].onclick = () => this.takeOut();
    ui.carry.onclick = () => this.carry();
    ui.train.onclick = () => this.train();
    return onJobs((all) => this.jobs(all));
  }
  /** Say what the face that is shown has. */
  shownNow({ mask, problem }) {
    const { ui } = this.editor;
    ui.source.textContent = mask ? `This face: mask of ${mask.stored.source}` : 'This face: no mask yet; merging asks the network';
    ui.source.title = mask?.stored.source ?? '';
    ui['take-out'].disabled = !mask || this.busy;
    ui.apply.disabled = Boolean(problem) || this.busy;
  }
  counted(facts) {
    this.facts = facts;
    this.editor?.ui.carry.toggleAttribute('disabled', !facts.byHand);
  }
  async flushed() { await Promise.all(this.docs.unsaved().map((doc) => doc.flush())); }

  /** Ask the network about the face that is shown. */
  async apply() {
    const { editor } = this, face = editor.shown;
    if (!editor.ready || this.busy) return;
    this.busy = true;
    editor.say('Asking the network …');
    this.shownNow(face);
    const done = await this.changed(face, () => api.post(`${this.base}apply`, { name: face.name }));
    this.busy = false;
    if (done && face === editor.shown) editor.say(`The network's mask is kept in ${face.name}`);
    editor.showFace();
  }
  async takeOut() {
    const face = this.editor.shown, stored = face?.mask?.stored;
    if (!stored || this.busy) return;
    const put = (mask) => this.changed(face, () => api.post(`${this.base}mask`, { name: face.name, mask }));
    if (await put(null)) toast(`The mask of ${face.name} is taken out`, { action: { label: 'Bring back', run: () => put(stored) } });
  }
  /** Change a face by a request that answers the face as it is then. */
  async changed(face, call) {
    try {
      await face.flush();
      await face.take(await call());
    } catch (error) {
      this.editor.fail(error.message);
      return false;
    }
    if (face === this.editor.shown) this.editor.showFace();
    return true;
  }

  async queueApply() {
    const count = this.facts?.all;
    if (!count || !(await asked(`Apply the network to ${words.many(count, 'face')} of ${this.side}? Polygons stay and count above it.`, 'Apply'))) return;
    await this.flushed();
    await start(this.ws, 'mask-apply', {}, this.side);
  }
  async carry() {
    const { byHand, all } = this.facts;
    const controls = await tried(forms);
    if (!controls) return;
    const form = makeForm(controls['mask-carry']);
    const dialog = sheet(`Carry polygons of ${this.side}`,
      el('p', {}, `Faces between two drawn ones get their polygons, moved as the landmarks move; ${words.many(byHand, 'drawn face')} of ${all.toLocaleString('en')} so far. Drawn faces keep theirs; carried ones are carried anew.`),
      form.element, el('div', { class: 'row' }, el('button', { class: 'main', onclick: async () => {
        dialog.close();
        await this.flushed();
        await start(this.ws, 'mask-carry', form.values(), this.side);
      } }, 'Carry')));
  }
  async train() {
    await this.flushed();
    const [known, ...counts] = await tried(() => Promise.all([api.get(api.of(this.ws, 'masks', 'network')), ...SIDES.map((side) => this.drawnOn(side))])) ?? [];
    if (!known) return;
    const drawn = counts.reduce((sum, one) => sum + one, 0), so = known.iterations;
    const iterations = el('input', { type: 'number', min: '1', step: '1', value: (so ?? 0) + MORE_ITERATIONS, 'aria-label': 'Iterations in all' });
    const said = `${words.many(drawn, 'face')} with polygons drawn by hand: ${SIDES.map((side, i) => `${counts[i]} of ${side}`).join(', ')}.`;
    const advice = drawn >= FEW ? '' : ` Some ${FEW} faces that differ are enough for a clip; draw where the network is wrong.`;
    const go = el('button', { class: 'main', disabled: !drawn, onclick: async () => {
      dialog.close();
      await start(this.ws, 'train', { model: 'xseg', iterations: Number(iterations.value) });
    } }, 'Train');
    const dialog = sheet('Train the mask network', el('p', {}, said + advice),
      el('p', { class: 'soft' }, so === null ? 'It begins with the generic weights.' : `This workspace's own network has learned for ${so.toLocaleString('en')} iterations and goes on from there.`),
      el('label', { class: 'row' }, 'Iterations in all', iterations), el('div', { class: 'row' }, go));
  }
  async drawnOn(side) {
    const { faces } = await api.get(`${api.of(this.ws, 'masks', side)}/faces`);
    return faces.filter(([, , , include, exclude, , carried]) => include + exclude > 0 && !carried).length;
  }

  /** Show the job at work on masks; look again at the faces while it goes on and when any job of theirs is over. */
  jobs(all) {
    const mine = all.filter((job) => job.workspace === this.ws), { ui } = this.editor;
    const masks = (job) => (job.kind.startsWith('mask-') && job.side === this.side) || (job.kind === 'train' && job.options.model === 'xseg');
    const active = mine.find((job) => !isOver(job) && masks(job));
    ui.job.textContent = active ? `${title(active)}: ${active.total ? `${Math.floor(share(active) * 100)} %` : active.state}${active.note ? `, ${active.note}` : ''}` : '';
    const ended = mine.some((job) => isOver(job) && this.states.has(job.number) && this.states.get(job.number) !== job.state);
    this.states = new Map(mine.map((job) => [job.number, job.state]));
    const due = active?.kind.startsWith('mask-') && performance.now() - this.refreshed > REFRESH_MS;
    if (!ended && !due) return;
    this.refreshed = performance.now();
    void this.editor.refresh();
  }
}
