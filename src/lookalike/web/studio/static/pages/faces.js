import { el } from '../lib.js';

export default {
  title: 'Faces',
  keys: [],
  async show(root, view) {
    root.append(el('div', { class: 'panel empty' }, el('p', {}, 'Faces is being built.')));
  },
};
