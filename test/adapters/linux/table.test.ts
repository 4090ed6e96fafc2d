import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { createTable, firewallPlane, type Nft, type NftResult, nat44Plane } from "../../../adapters/linux/index.ts"
import type { Change, Mapping } from "../../../core/cgn/index.ts"
import { type Address, parseAddress } from "../../../core/wire/index.ts"

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined)
  return parsed
}

const taking: Nft = {
  way: "a test",
  run: () => ({ ok: true, output: "" }),
  terse: () => ({ ok: true, output: "" }),
  close: () => {},
}

describe("a table's changes", () => {
  it("a time-out of any lifetime that PCP has is in nft's words, whose numbers have eight digits at most", () => {
    const commands: string[] = []
    const nft: Nft = {
      ...taking,
      run: (text) => {
        commands.push(text)
        return { ok: true, output: "" }
      },
    }
    const plane = firewallPlane({ family: 6, outside: ["wan"], inside: [] })
    const table = createTable(nft, plane)
    const [day, week, longest] = [86_400_000, 604_800_000, 0xffffffff * 1000]
    for (const left of [1, 99_999_999, 100_000_000, day - 1, day, week + 250, longest]) {
      const element = { set: "open-host", key: "2001:db8::7", data: undefined }
      assert.ok(table.mend([{ element, left }], []).ok)
      const [, time] = / timeout (\w+) \}\n$/.exec(commands.at(-1) ?? "") ?? assert.fail(commands.at(-1))
      const units: Readonly<Record<string, number>> = { d: day, ms: 1 }
      const parts = [...time.matchAll(/(\d{1,8})(d|ms)/g)]
      assert.equal(parts.map(([whole]) => whole).join(""), time)
      assert.equal(
        parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit] ?? Number.NaN), 0),
        left,
      )
    }
  })

  it("as many external ends as a NAT has may be free at one instant, and the connections of each end", () => {
    const external = address("203.0.113.7")
    const plane = nat44Plane({
      outside: ["wan"],
      external: [external],
      staticExternal: [],
      implicitPorts: { first: 1024, last: 2047 },
    })
    const changes = Array.from(
      { length: 300_000 },
      (_, i): Change => ({ type: "freed", protocol: 17, external, externalPort: i % 65_536 }),
    )
    const applied = createTable(taking, plane).apply(changes, 0)
    assert.ok(applied.ok)
    // Of each end those that began outside, and those that began inside.
    assert.equal(applied.ended.length, 2 * changes.length)
    const common = { family: 4, protocol: 17 }
    assert.deepEqual(applied.ended.slice(14, 16), [
      { ...common, destination: "203.0.113.7", destinationPort: 7 },
      { ...common, answers: "203.0.113.7", answersPort: 7 },
    ])
  })

  it("connections end with a mapping that is deleted or moved, not with one that is made, renewed or ran out", () => {
    const [before, after] = [address("203.0.113.7"), address("203.0.113.8")]
    const plane = nat44Plane({
      outside: ["wan"],
      external: [before, after],
      staticExternal: [],
      implicitPorts: { first: 1024, last: 2047 },
    })
    const table = createTable(taking, plane)
    const mapping: Mapping = {
      kind: "map",
      origin: "pcp",
      protocol: 17,
      internal: address("10.0.0.2"),
      internalPort: 80,
      realm: undefined,
      external: before,
      externalPort: 5000,
      remote: undefined,
      remotePort: 0,
      nonce: undefined,
      clientPort: 0,
      details: undefined,
      expires: 60_000,
    }
    const ended = (...changes: readonly Change[]) => {
      const applied = table.apply(changes, 0)
      assert.ok(applied.ok)
      return applied.ended
    }
    const common = { family: 4, protocol: 17 }
    const [inward, answers] = [
      { ...common, destination: "203.0.113.7", destinationPort: 5000 },
      { ...common, answers: "203.0.113.7", answersPort: 5000 },
    ]
    const both = [inward, { ...answers, source: "10.0.0.2", sourcePort: 80 }]
    for (const type of ["created", "renewed", "expired"] as const) assert.deepEqual(ended({ type, mapping }), [], type)
    assert.deepEqual(ended({ type: "deleted", mapping }), both)
    const moved = { ...mapping, external: after, externalPort: 5001 }
    assert.deepEqual(ended({ type: "moved", mapping: moved, external: before, externalPort: 5000 }), both)
    // Free because its last owner has it again, and free for anybody.
    const freed = { type: "freed", protocol: 17, external: before, externalPort: 5000 } as const
    assert.deepEqual(ended(freed, { type: "created", mapping }), [])
    assert.deepEqual(ended(freed, { type: "created", mapping: moved }), [inward, answers])
  })

  it("elements that went by another way than commands are a transaction too, and what was refused there is refused", () => {
    const commands: string[] = []
    let answer: NftResult | undefined = { ok: true, output: "" }
    const nft: Nft = {
      ...taking,
      run: (text) => {
        commands.push(text)
        return { ok: true, output: "" }
      },
      elements: () => answer,
    }
    const table = createTable(nft, firewallPlane({ family: 6, outside: ["wan"], inside: [] }))
    const one = { element: { set: "open-host", key: "2001:db8::7", data: undefined }, left: 1 }
    assert.ok(table.mend([one], []).ok)
    assert.deepEqual([table.version(), commands.length], [1, 0])
    answer = { ok: false, text: "Error: File exists" }
    assert.deepEqual(table.mend([one], []), answer)
    answer = undefined
    assert.ok(table.mend([one], []).ok)
    assert.equal(commands.length, 1)
  })
})
