import { isIpv4 } from "../../wire/index.ts"
import { numberAt, withNumber, withoutNumber } from "../number-map.ts"
import { change, queriesOn, type SvpDraft } from "./draft.ts"
import { encodeSvp } from "./encode.ts"
import { finish } from "./finish.ts"
import type { SvpBody } from "./message.ts"
import { SvpStatus, Vl3Type } from "./registry.ts"
import type { SvpAsker, SvpConnection, SvpQuestion } from "./remote.ts"
import { SVP_LOG_OCTETS, SVP_TIMES } from "./remote.ts"

/** Ids have 31 bits, and 0 is none. */
const HIGHEST_ID = 0x7fffffff

/** Asks the next of the active connections; without any the question has failed at once. */
export const ask = (draft: SvpDraft, question: SvpQuestion, asker: SvpAsker): void => {
  const active = [...draft.connections.values()].filter(({ phase }) => phase === "active")
  const connection = active.find(({ number }) => number > draft.turn) ?? active[0]
  if (connection === undefined) {
    finish(draft, question, asker, { kind: "none", status: SvpStatus.FATAL })
    return
  }
  draft.turn = connection.number
  const id = nextId(draft)
  const encoded = encodeSvp({ version: connection.version, id, body: bodyOf(draft, question) })
  if (!encoded.ok) {
    finish(draft, question, asker, { kind: "none", status: SvpStatus.FATAL })
    return
  }
  const query = { id, question, asker, connection: connection.number, sent: draft.now }
  draft.queries = withNumber(draft.queries, id, query)
  draft.effects.push({ type: "send", connection: connection.number, bytes: encoded.bytes })
}

/** Asks which version the server speaks, before anything else. The PONG is to be there as soon as an answer. */
export const ping = (draft: SvpDraft, connection: SvpConnection, version: 1 | 2): void => {
  const id = nextId(draft)
  const encoded = encodeSvp({ version, id, body: { kind: "ping" } })
  if (!encoded.ok) return
  change(draft, connection, { phase: "versioning", ping: id, due: draft.now + SVP_TIMES.QUERY })
  draft.effects.push({ type: "send", connection: connection.number, bytes: encoded.bytes })
}

const nextId = (draft: SvpDraft): number => {
  let id = draft.nextId
  while (numberAt(draft.queries, id) !== undefined) id = id === HIGHEST_ID ? 1 : id + 1
  draft.nextId = id === HIGHEST_ID ? 1 : id + 1
  return id
}

const bodyOf = ({ options }: SvpDraft, question: SvpQuestion): SvpBody => {
  switch (question.kind) {
    case "vl2":
      return { kind: "vl2-request", mac: question.mac, pad: 0, vnetid: question.vnetid }
    case "vl3": {
      const { address, vnetid } = question
      return { kind: "vl3-request", address, type: isIpv4(address) ? Vl3Type.IPV4 : Vl3Type.IPV6, vnetid }
    }
    case "log":
      return { kind: "log-request", count: SVP_LOG_OCTETS, address: options.underlay }
    case "log-remove":
      return { kind: "log-remove", uuids: question.uuids }
  }
}

/**
 * A connection is of no more use: its first question, of which the server may have seen a part, fails, and the others go to other
 * connections. It waits before it connects again: after the n-th failure to connect in a row 1, 2, 4, 8, 16, 32, 32 ... seconds; one
 * that was active has none behind it. The reference connects such a one again at once; here a tick passes, so that a server that
 * accepts and closes is not asked without a pause.
 */
export const lose = (draft: SvpDraft, connection: SvpConnection): void => {
  const { number, phase } = connection
  if (phase === "winding-down") draft.connections.delete(number)
  else if (phase === "active")
    change(draft, connection, { phase: "initial", failures: 0, due: draft.now + SVP_TIMES.TICK, held: NOTHING })
  else {
    const failures = connection.failures + 1
    const pause = Math.min(SVP_TIMES.TICK * 2 ** (failures - 1), SVP_TIMES.LONGEST)
    change(draft, connection, { phase: "back-off", failures, due: draft.now + pause, held: NOTHING })
  }
  const [first, ...others] = queriesOn(draft, number)
  if (first === undefined) return
  for (const { id } of [first, ...others]) draft.queries = withoutNumber(draft.queries, id)
  finish(draft, first.question, first.asker, { kind: "none", status: SvpStatus.FATAL })
  for (const { question, asker } of others) ask(draft, question, asker)
}

const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0)

/** Closes a connection, and loses it. */
export const reset = (draft: SvpDraft, connection: SvpConnection): void => {
  draft.effects.push({ type: "close", connection: connection.number })
  lose(draft, connection)
}
