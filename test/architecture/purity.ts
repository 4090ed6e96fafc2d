/** What no source of the core may do, beyond what the compiler refuses when it knows of ES2022 alone. */
import type { At, Source } from "./source.ts"

/**
 * Globals that are not the same on every machine, at every moment and in every runtime. The compiler refuses those that
 * ES2022 does not have; they stand here too, so that a planted declaration does not let them in.
 */
const FORBIDDEN = new Set([
  ...[
    "Date",
    "Intl",
    "globalThis",
    "eval",
    "Function",
    "WeakRef",
    "FinalizationRegistry",
    "Atomics",
    "SharedArrayBuffer",
  ],
  ...["performance", "setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "queueMicrotask"],
  ...["console", "process", "Buffer", "global", "window", "self", "document", "navigator", "location", "localStorage"],
  ...["require", "module", "exports", "import.meta", "Deno", "Bun", "WebAssembly", "crypto", "fetch", "Worker"],
  ...["structuredClone", "URL", "AbortController", "EventTarget", "MessageChannel", "atob", "btoa"],
])

/** Methods whose answer depends on the machine's language and place. */
const LOCALE = /^(?:toLocale\w*|localeCompare)$/

/** Each impurity of one source of the core. */
export const impurities = (source: Source): readonly At[] => [
  ...source.free.filter(({ text }) => FORBIDDEN.has(text)),
  ...source.members.filter(({ text }) => LOCALE.test(text)),
  ...source.randoms.map(({ line }) => ({ line, text: "Math.random" })),
  ...source.classes.map(({ line, text }) => ({ line, text: `class ${text}` })),
  ...source.ambient.map(({ line }) => ({ line, text: "ambient declaration" })),
  ...source.mutable.map(({ line, text }) => ({ line, text: `module-level ${text}` })),
]
