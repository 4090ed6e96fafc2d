import { console } from "#console"

const [command, ...words] = console.words
/** The commonest use first, as it needs the least. */
const early = async () => (await import("./decode-words.ts")).decodeWords(words, console)
const code = command === "decode" ? await early() : undefined
if (code === undefined) await import("./program.ts")
else console.end(code)
