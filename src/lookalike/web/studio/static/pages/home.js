import { el } from '../lib.js';

export default {
  title: 'Home',
  keys: [],
  async show(root, view) {
    root.append(el('div', { class: 'panel empty' }, el('p', {}, 'Home is being built.')));
  },
};
