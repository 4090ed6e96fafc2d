/** Files that keep a server's or a client's state, on every runtime with `node:fs`: they are written whole or not at all. */
export { type KeptAside, keepAside } from "./aside.ts"
export { clientFile } from "./client-store.ts"
export { firewallForm, type Loaded, loadState, natForm, type StateForm, saveState } from "./state-file.ts"
export { keepState, type StateKeeper, type StateKeeperOptions, type Versioned } from "./state-keeper.ts"
export { type Locked, lockState, type StateLock } from "./state-lock.ts"
export { type Saved, writeWhole } from "./whole-file.ts"
