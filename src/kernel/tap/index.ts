/** Taps, which programs open: made here, read and changed as links (`rtnetlink`). */
export { createTap, createTapOn, type NewTap, openTunDevice, tunDevice } from './tap.ts';
