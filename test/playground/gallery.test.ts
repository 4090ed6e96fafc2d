import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { QUIRKS } from "../../core/client/index.ts"
import { Opcode, OptionCode, parse, type Severity } from "../../core/wire/index.ts"
import {
  EXAMPLE_GROUPS,
  type Example,
  exampleOf,
  FIRST_EXAMPLE,
  GALLERY,
} from "../../playground/model/gallery/index.ts"
import { inspect } from "../../playground/model/inspect/index.ts"
import { compareFutures, play } from "../../playground/model/replay/index.ts"
import { readSession, writeSession } from "../../playground/model/session/index.ts"

const packetsOf = (example: Example) => (example.kind === "packets" ? example.packets() : [])

const worstOf = (id: string): Severity | undefined => {
  const example = exampleOf(id) ?? assert.fail(id)
  const found = packetsOf(example).flatMap(({ bytes }) => inspect(bytes).findings)
  return (["error", "warning", "note"] as const).find((severity) => found.some((one) => one.severity === severity))
}

describe("the gallery", () => {
  test("every example has an id of its own, a title and one line of why", () => {
    const ids = GALLERY.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    for (const { id, title, why, group } of GALLERY) {
      assert.match(id, /^[a-z0-9-]+$/)
      assert.ok(title.length > 3 && why.length > 15 && !why.includes("\n"), id)
      assert.ok(EXAMPLE_GROUPS.includes(group))
    }
    assert.deepEqual(
      EXAMPLE_GROUPS.filter((group) => !GALLERY.some((one) => one.group === group)),
      [],
    )
    assert.equal(FIRST_EXAMPLE.group, "first")
    assert.equal(exampleOf("nothing"), undefined)
  })

  test("every opcode and every option is in it, both directions of the opcodes", () => {
    const bytes = GALLERY.flatMap(packetsOf).map((one) => one.bytes)
    assert.ok(bytes.every((one) => one.length > 0))
    for (const opcode of Object.values(Opcode))
      for (const bit of [0, 128])
        assert.ok(
          bytes.some((one) => one[0] === 2 && one[1] === opcode + bit),
          `opcode ${opcode}`,
        )
    const options = new Set(
      bytes.flatMap((one) => {
        const parsed = parse(one)
        return parsed.ok && "options" in parsed.packet ? parsed.packet.options.map(({ kind }) => kind) : []
      }),
    )
    for (const name of Object.keys(OptionCode))
      assert.ok(
        [...options].some((kind) => kind === name),
        name,
      )
  })

  test("every quirk that the client knows can be looked at", () => {
    for (const name of Object.keys(QUIRKS)) assert.equal(exampleOf(name)?.group, "broken routers", name)
  })

  test("good packets have no error, broken ones have a finding", () => {
    for (const { id, group } of GALLERY) {
      if (group === "first" || group === "opcodes" || group === "NAT-PMP" || group === "authentication")
        assert.notEqual(worstOf(id), "error", id)
      if (group === "broken packets") assert.ok(worstOf(id) === "error" || worstOf(id) === "warning", id)
    }
  })

  test("every session plays, is saved and loaded, and shows what it says", () => {
    for (const example of GALLERY) {
      if (example.kind !== "session") continue
      const session = example.session()
      const read = readSession(writeSession(session))
      assert.ok(read.ok, example.id)
      assert.deepEqual(read.session, session)
      const [one, other] = [play(session), play(read.session)]
      assert.ok(one.ok && other.ok && !one.value.cut)
      assert.deepEqual(
        compareFutures(one.value, other.value).filter(({ kind }) => kind !== "event"),
        [],
      )
    }
  })

  const outcomes = (id: string): readonly string[] => {
    const example = exampleOf(id)
    assert.ok(example?.kind === "session")
    const replay = play(example.session())
    assert.ok(replay.ok)
    return replay.value.moments.flatMap(({ cause, reply, verdict }) =>
      cause.type === "step" && cause.step.type !== "announce" ? [verdict?.kind ?? `${reply?.[3]}`] : [],
    )
  }

  test("what each session is about happens in it", () => {
    // 0 SUCCESS, 2 NOT_AUTHORIZED, 8 NO_RESOURCES, 10 USER_EX_QUOTA (RFC 6887 section 7.4).
    assert.deepEqual(outcomes("home"), [
      "0",
      "translated",
      "filtered",
      "0",
      "translated",
      "0",
      "0",
      "10",
      "2",
      "dropped",
      "0",
      "0",
    ])
    assert.deepEqual(outcomes("hairpin"), ["0", "0", "hairpinned", "hairpinned"])
    assert.deepEqual(outcomes("crowd").slice(0, 9), [...new Array<string>(8).fill("0"), "8"])
    assert.equal(outcomes("crowd").at(-1), "0")
    assert.deepEqual(outcomes("pinhole"), ["dropped", "0", "passed", "dropped"])
    assert.deepEqual(outcomes("nat64"), ["0", "translated", "translated"])
  })
})
