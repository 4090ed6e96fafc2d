import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import {
  type Assignment,
  type Holder,
  type LoggedAssignment,
  type LogRecord,
  listMappings,
  type Mapping,
  tellsWho,
  type WhoAsk,
  whoHad,
} from "../../../core/cgn/index.ts"
import { formatAddress, ipv4Value, Protocol } from "../../../core/wire/index.ts"
import { ASSIGNMENTS, act, COMMON, move, type Stage } from "./moves.ts"
import { address, cgnWith, host, map, met, remove, TCP, UDP } from "./scene.ts"

const shown = (holder: Holder | undefined): string | undefined =>
  holder &&
  `${holder.by} ${formatAddress(holder.subscriber.address)}/${holder.subscriber.prefixLength}${holder.internalPort === undefined ? "" : `:${holder.internalPort}`}`

const logged = (assignment: Assignment): LoggedAssignment => ({ ...COMMON, assignment })

test("NAT-7422-2.3: port 2001 is subscriber 1's by the settings alone, port 58204 subscriber 2's by its block of the log", () => {
  const settings: LoggedAssignment = {
    assignment: {
      kind: "deterministic",
      internal: [{ address: address("198.51.100.0"), prefixLength: 124 }],
      dynamic: { factor: 2, size: 100, maximum: 5040 },
    },
    external: [address("192.0.2.1")],
    ports: { first: 1024, last: 65535 },
    subscriberPrefix: { ipv4: 32, ipv6: 64 },
  }
  const end = { external: address("192.0.2.1"), protocol: TCP, port: 2001, at: 5000 }
  assert.equal(shown(whoHad(end, [], settings)), "range 198.51.100.1/128")
  const block = {
    internal: address("198.51.100.2"),
    prefixLength: 128,
    realm: undefined,
    external: end.external,
    firstPort: 58200,
    lastPort: 58299,
  }
  const log: LogRecord[] = [
    { at: 1000, change: { type: "block", ...block } },
    { at: 6000, change: { type: "block-over", ...block } },
    { at: 7000, change: { type: "block", ...block, internal: address("198.51.100.9") } },
  ]
  const report = { ...end, port: 58204 }
  assert.equal(shown(whoHad(report, log, settings)), "block 198.51.100.2/128")
  assert.equal(whoHad(report, log, settings)?.since, 1000)
  for (const at of [999, 6000, 6999]) assert.equal(whoHad({ ...report, at }, log, settings), undefined)
  assert.equal(shown(whoHad({ ...report, at: 7000 }, log, settings)), "block 198.51.100.9/128")
  assert.equal(whoHad({ ...report, protocol: Protocol.SCTP }, log, settings), undefined)
  assert.equal(whoHad({ ...report, external: address("192.0.2.2") }, log, settings), undefined)
  assert.equal(whoHad({ ...end, port: 1023 }, log, settings), undefined)
})

test("NAT-7422-3: settings in the log hold from their record on, and a server that begins anew has nobody's ports", () => {
  const internal = [{ address: host(0), prefixLength: 124 }]
  const assignment: Assignment = { kind: "deterministic", internal }
  const other: Assignment = { kind: "deterministic", internal, ratio: 14 }
  const log: LogRecord[] = [
    { at: 10, change: { type: "assignment", settings: logged(assignment), fresh: true } },
    { at: 20, change: { type: "assignment", settings: logged(other), fresh: false } },
    { at: 30, change: { type: "assignment", settings: logged({ kind: "random" }), fresh: false } },
  ]
  // 8 subscribers of two hosts each: 4 on an address have 56 of its 225 ports each, 14 of them 16.
  const ask = { external: address("203.0.113.1"), protocol: UDP, port: 2040 }
  const at = (time: number) => shown(whoHad({ ...ask, at: time }, log))
  assert.deepEqual([9, 10, 19, 20, 29, 30].map(at), [
    undefined,
    "range 10.0.0.0/127",
    "range 10.0.0.0/127",
    "range 10.0.0.4/127",
    "range 10.0.0.4/127",
    undefined,
  ])
})

test("a mapping is its own record with a random assignment: from its making to the end of the last that kept it", () => {
  const log: LogRecord[] = []
  const note = (at: number, changes: readonly LogRecord["change"][]) => {
    for (const change of changes) log.push({ at, change })
  }
  const made = met(map(cgnWith(), { lifetime: 600 }, 1000))
  note(1000, made.changes)
  const renewed = met(map(made.state, { lifetime: 600 }, 300_000))
  note(300_000, renewed.changes)
  const gone = met(remove(renewed.state, {}, 800_000))
  note(800_000, gone.changes)
  const ask = { external: made.external, protocol: UDP, port: made.externalPort }
  const at = (time: number) => shown(whoHad({ ...ask, at: time }, log))
  assert.deepEqual([999, 1000, 700_000, 799_999, 800_000].map(at), [
    undefined,
    "mapping 10.0.0.1/128:4000",
    "mapping 10.0.0.1/128:4000",
    "mapping 10.0.0.1/128:4000",
    undefined,
  ])
  assert.equal(whoHad({ ...ask, protocol: TCP, at: 1000 }, log), undefined)
})

for (const assignment of [{ kind: "random" } as const, ...ASSIGNMENTS])
  test(`NAT-6888-REQ-14 NAT-7422-3: the log without what need not be logged still tells who had each mapping's port: ${JSON.stringify({ ...assignment, internal: undefined })}`, () => {
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 60 }), (moves) => {
        let stage: Stage = { state: cgnWith({ ...COMMON, assignment }), changes: [], now: 0 }
        const log: LogRecord[] = []
        const questions: { ask: WhoAsk; end: Pick<Mapping, "internal" | "internalPort" | "identifier"> }[] = []
        for (const what of moves) {
          // No two moves at one time, of which the log could not tell the order.
          stage = act({ ...stage, now: stage.now + 1 }, what)
          for (const change of stage.changes) if (tellsWho(assignment.kind, change)) log.push({ at: stage.now, change })
          const { mappings } = listMappings(stage.state, stage.now, 0, 1e6)
          const mapping = mappings[what.port % Math.max(1, mappings.length)]
          if (mapping === undefined) continue
          const { external, externalPort: port, protocol } = mapping
          questions.push({ ask: { external, protocol, port, at: stage.now }, end: mapping })
        }
        for (const { ask, end } of questions) {
          const holder = whoHad(ask, log, logged(assignment))
          assert.ok(holder !== undefined)
          if (assignment.kind === "random") {
            const { subscriber, internalPort, identifier } = holder
            const { internal } = end
            assert.deepEqual(
              [subscriber.address, internalPort, identifier],
              [internal, end.internalPort, end.identifier],
            )
            continue
          }
          assert.equal(ipv4Value(holder.subscriber.address) >>> 1, ipv4Value(end.internal) >>> 1)
          assert.equal(holder.subscriber.prefixLength, 127)
        }
        if (assignment.kind === "deterministic" && assignment.dynamic === undefined) assert.deepEqual(log, [])
        if (assignment.kind !== "random") assert.ok(log.every(({ change }) => change.type.startsWith("block")))
      }),
      { numRuns: 60 },
    )
  })
