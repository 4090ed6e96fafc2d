import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Ansis } from "ansis"
import { entryRecord } from "../../../adapters/cli/entry-json.ts"
import { entryPrinter } from "../../../adapters/cli/entry-text.ts"
import { entriesOf } from "../../../adapters/cli/event.ts"
import type { ServerEvent } from "../../../adapters/server-machine.ts"
import type { Change, Mapping } from "../../../core/cgn/index.ts"
import { type CgnKind, PROFILES } from "../../../core/cgn/index.ts"
import { readNonce } from "../../../core/wire/index.ts"
import { address } from "../udp-suite.ts"
import { octets } from "./command.ts"

const mapping: Mapping = {
  kind: "map",
  origin: "pcp",
  protocol: 17,
  internal: address("192.0.2.9"),
  internalPort: 5000,
  realm: undefined,
  external: address("203.0.113.2"),
  externalPort: 6000,
  remote: undefined,
  remotePort: 0,
  nonce: readNonce(octets("0102030405060708090a0b0c"), 0),
  expires: 60_000,
  clientPort: 40000,
  details: undefined,
}

const clock = { time: () => "T", at: (instant: number) => `${instant}` }
const print = (event: ServerEvent, kind?: CgnKind): string[] =>
  entriesOf(event, kind && PROFILES[kind]).map((entry) => entryPrinter(new Ansis(0))(entry, "00:00:00"))
const record = (event: ServerEvent): unknown[] => entriesOf(event).map((entry) => entryRecord(entry, clock))
const advanced = (...changes: readonly Change[]): ServerEvent => ({ type: "advanced", changes })

const local = { address: address("::1"), port: 5351 }
const answered = (source: string, reply: string): ServerEvent => ({
  type: "answered",
  source: { address: address(source), port: 40000 },
  local,
  request: octets(
    "02010000 00000e10 00000000000000000000000000000001 0102030405060708090a0b0c 06000000 0050 0000 00000000000000000000ffff00000000",
  ),
  reply: octets(reply),
  changes: [],
})

describe("what serve tells", () => {
  it("a refusal of NAT-PMP has no lifetime, whatever octets of the request came back", () => {
    const event: ServerEvent = {
      type: "answered",
      source: { address: address("192.0.2.1"), port: 40000 },
      local,
      request: octets("004d0000 ffffffff ffffffff ffffffff"),
      reply: octets("00cd0005 ffffffff ffffffff ffffffff"),
      changes: [],
    }
    assert.match(print(event)[0], /: Unsupported opcode, NAT-PMP from 192\.0\.2\.1:40000$/)
    assert.ok(!JSON.stringify(record(event)).includes("4294967295"))
  })

  it("a refusal that lies in the host's address says why, and no other refusal does", () => {
    const refused = "02810002 00000708 00000001 000000000000000000000000"
    assert.match(
      print(answered("::1", refused), "nat444")[0],
      /refused +MAP.*: NOT_AUTHORIZED for 1800 s, PCP from \[::1\]:40000: only IPv4 hosts are served$/,
    )
    assert.match(print(answered("192.0.2.1", refused), "nat64")[0], /: only IPv6 hosts are served$/)
    assert.match(
      print(answered("127.0.0.1", refused), "firewall4")[0],
      /: no host behind a firewall has a loopback address$/,
    )
    for (const [source, reply, kind] of [
      ["192.0.2.1", refused, "nat444"],
      ["127.0.0.1", refused, "nat444"],
      ["192.0.2.1", refused, "firewall4"],
      ["::1", refused, undefined],
      ["::1", "02810008 0000001e 00000001 000000000000000000000000", "nat444"],
    ] as const)
      assert.match(print(answered(source, reply), kind)[0], /:40000$/)
  })

  it("a mapping that was moved has both external ends", () => {
    const event = advanced({ type: "moved", mapping, external: address("203.0.113.1"), externalPort: 5999 })
    assert.match(print(event)[0], /moved +UDP +192\.0\.2\.9:5000 +-> 203\.0\.113\.2:6000 +from 203\.0\.113\.1:5999$/)
    assert.deepEqual(record(event), [
      {
        time: "T",
        event: "moved",
        from: { address: "203.0.113.1", port: 5999 },
        mapping: {
          kind: "map",
          origin: "pcp",
          protocol: 17,
          internal: { address: "192.0.2.9", port: 5000 },
          external: { address: "203.0.113.2", port: 6000 },
          expires: "60000",
        },
      },
    ])
  })

  it("epochs that start again are told, and what only machines want to know is not", () => {
    const subscriber = { internal: address("192.0.2.9"), realm: undefined, at: 1 }
    const end = { protocol: 17, external: mapping.external, externalPort: 6000 }
    const lines = print(
      advanced(
        { type: "epoch-reset", at: 1 },
        { type: "subscriber-reset", ...subscriber },
        { type: "counted", vector: "drop", index: 0 },
        { type: "freed", ...end },
      ),
    )
    assert.equal(lines.length, 2)
    assert.match(lines[0], /reset +Epoch Time of everybody starts again$/)
    assert.match(lines[1], /reset +Epoch Time of 192\.0\.2\.9 starts again$/)
  })
})
