import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { decodeWords } from "../../../adapters/cli/decode-words.ts"
import { sallyport } from "./command.ts"

/** The words run in this process, and what came of them; `undefined`: left to the whole command. */
const early = async (words: readonly string[], { files = [], terminals = [] }: Surroundings = {}) => {
  const printed = { 1: "", 2: "" }
  const code = await decodeWords(words, {
    words,
    isFile: async (path) => files.includes(path),
    isTerminal: async (fd) => terminals.includes(fd),
    write: async (fd, text) => {
      printed[fd] += text
    },
    end: () => assert.fail("the code is the result"),
  })
  return code === undefined ? undefined : { code, stdout: printed[1], stderr: printed[2] }
}

interface Surroundings {
  readonly files?: readonly string[]
  readonly terminals?: readonly (1 | 2)[]
}

/** A MAP request of RFC 6887 figure 9, with a FILTER cut short. */
const MAP =
  "02010000000007080000000000000000" +
  "0000ffffc0000202" +
  "0102030405060708090a0b0c" +
  "11000000" +
  "1f900000" +
  "00000000000000000000ffff00000000"

const TEXTS: readonly (readonly string[])[] = [
  ["0000"],
  [MAP],
  [`${MAP}03000010`],
  [MAP.slice(0, 50)],
  MAP.match(/.{1,4}/g) ?? [],
  ["0x02,", "0x00"],
  ["AgAAAAAAAAAAAAAAAAAAAAAA//8KAAAB"],
  ["no packet at all"],
  ["gone.pcap"],
  ["./gone/\u001b[31m"],
  ["0", "0", "g"],
  ["00 00 ... 00"],
  [""],
]

describe("a packet on the command line, without options", () => {
  test("is printed as the whole command prints it, octet for octet, with the same exit code", async () => {
    for (const words of TEXTS) {
      // "--" says nothing that is not so without it, but the whole command reads it.
      assert.deepEqual(await early(words), await sallyport(["decode", "--", ...words]), words.join(" "))
      assert.deepEqual(await sallyport(["decode", ...words]), await sallyport(["decode", "--", ...words]))
    }
  })

  test("what is not so simple is left to the whole command, and nothing is printed", async () => {
    assert.equal(await early([]), undefined)
    assert.equal(await early(["-"]), undefined)
    assert.equal(await early(["0000", "--json"]), undefined)
    assert.equal(await early(["0000"], { files: ["0000"] }), undefined)
    assert.equal(await early(["0000"], { terminals: [1] }), undefined)
    assert.equal(await early(["0000"], { terminals: [2] }), undefined)
  })

  test("any text gives a code, and no line that drives a terminal", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), async (words) => {
        const ended = await early(words)
        assert.ok(words.some((word) => word.startsWith("-")) ? ended === undefined : ended !== undefined)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        assert.doesNotMatch(`${ended?.stdout}${ended?.stderr}`, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
      }),
    )
  })
})
