import { open, seal, type Table, word } from "../../table/index.ts"
import { type Address, ANY4, ANY6, CLIENT_PORT, isAny, Protocol, ResultCode, SERVER_PORT } from "../../wire/index.ts"
import type { Change } from "../change.ts"
import type { CgnDone, CgnRefused, CgnResult, DeleteAsk, InternalEnd, MapAsk, PortSetAsk } from "../contract.ts"
import { deadlineOf, instantOf, NEVER } from "../layout.ts"
import type { Realm } from "../mapping.ts"
import { make, sweep } from "./apply.ts"
import { type FirewallState, type FirewallStep, HOST, Host, PINHOLE, Pinhole, stepAt } from "./layout.ts"
import { deadlineOfRow, findEnd, findHost, nonceOf, pinholeAsData } from "./row.ts"

export const refused = (code: number, lifetime?: number): CgnRefused => ({ outcome: "refused", code, lifetime })

/** A request met, the step's changes sealed into its state. */
export const done = (
  step: FirewallStep,
  outcome: "new" | "ok",
  end: InternalEnd,
  lifetime: number,
  changes: readonly Change[],
  ports = 1,
): CgnDone<FirewallState> => ({
  outcome,
  state: { version: seal(step.table), config: step.config },
  external: end.internal,
  externalPort: end.internalPort,
  lifetime,
  changes,
  ports,
  description: undefined,
})

export const stepOf = (state: FirewallState, now: number): FirewallStep =>
  stepAt(open(state.version), state.config, now)

/** Whole seconds until a deadline that has not come yet; at least 1. */
export const secondsLeft = (step: FirewallStep, deadline: number, now: number): number =>
  deadline === NEVER ? NEVER : Math.max(1, Math.floor((instantOf(step.config, deadline) - now) / 1000))

/** How many consecutive ports are asked for, from the ask's own up; port 0 is all of them in one pinhole. */
const portsAsked = (internalPort: number, portSet: PortSetAsk | undefined): number =>
  portSet === undefined || internalPort === 0 ? 1 : Math.max(1, Math.min(portSet.size, 0x10000 - internalPort))

/**
 * RFC 6887 section 11.3, in the order nonce, sense of PREFER_FAILURE, policy, quota. The external end is the internal
 * one, so a suggestion matters to PREFER_FAILURE alone. A NAT-PMP request learns of a PCP mapping and cannot touch it;
 * PCP takes a NAT-PMP mapping of the same host over with its nonce.
 *
 * A new mapping asked for as locked is made as it is: where its filters fail, the state that has it is never kept.
 * A set of ports (RFC 7753) ends at the first that cannot be had.
 */
export const addMapping = (state: FirewallState, ask: MapAsk, now: number): CgnResult<FirewallState> => {
  const step = stepOf(state, now)
  const changes: Change[] = []
  const first = openPort(step, ask, ask.internalPort, changes, now)
  if (!first.ok) return first.refused
  const asked = portsAsked(ask.internalPort, ask.portSet)
  let ports = 1
  while (ports < asked && openPort(step, ask, ask.internalPort + ports, changes, now).ok) ports++
  return done(step, first.outcome, ask, first.lifetime, changes, ports)
}

/** UDP ports 5350 and 5351: PCP's own, never mapped (RFC 6887 section 11.3, S-49). */
export const isOwnPort = (protocol: number, port: number): boolean =>
  protocol === Protocol.UDP && (port === CLIENT_PORT || port === SERVER_PORT)

type Opened =
  | { readonly ok: true; readonly outcome: "new" | "ok"; readonly lifetime: number }
  | { readonly ok: false; readonly refused: CgnRefused }

const no = (code: number, lifetime?: number): Opened => ({ ok: false, refused: refused(code, lifetime) })

/** Opens, or renews, one pinhole of an ask. */
const openPort = (step: FirewallStep, ask: MapAsk, port: number, changes: Change[], now: number): Opened => {
  const { table, config } = step
  const end = { ...ask, internalPort: port }
  let row = findEnd(table, end)
  if (row !== 0 && sweep(step, row, changes)) row = 0
  const deadline = deadlineOfRow(step, row)
  const nonce = row === 0 ? undefined : nonceOf(table, row)
  if (nonce !== undefined && ask.nonce === undefined)
    return { ok: true, outcome: "ok", lifetime: Math.min(ask.lifetime, secondsLeft(step, deadline, now)) }
  if (nonce !== undefined && nonce !== ask.nonce) return no(ResultCode.NOT_AUTHORIZED, secondsLeft(step, deadline, now))
  const suits = (isAny(ask.suggested) || ask.suggested === ask.internal) && ask.suggestedPort === port
  if (ask.preferFailure && !suits) return no(ResultCode.CANNOT_PROVIDE_EXTERNAL)
  // S-49 knows no exception for devices that do not translate, and there is no other port to give.
  if (isOwnPort(ask.protocol, port)) return no(ResultCode.NOT_AUTHORIZED)
  if (row === 0 && !hasQuota(step, end, changes)) return no(ResultCode.USER_EX_QUOTA)
  make(step, changes, {
    type: row === 0 ? "created" : "renewed",
    mapping: {
      kind: "map",
      origin: ask.origin,
      protocol: ask.protocol,
      internal: ask.internal,
      internalPort: port,
      realm: ask.realm,
      external: ask.internal,
      externalPort: port,
      remote: undefined,
      remotePort: 0,
      nonce: ask.nonce,
      expires: instantOf(config, deadlineOf(config, now, ask.lifetime)),
      clientPort: ask.clientPort ?? 0,
      details: undefined,
    },
  })
  return { ok: true, outcome: row === 0 ? "new" : "ok", lifetime: ask.lifetime }
}

/** Has the host room for one more? Only over its quota are its pinholes looked through for some that have run out. */
const hasQuota = (step: FirewallStep, end: InternalEnd, changes: Change[]): boolean => {
  const { table, config } = step
  const count = (): number => {
    const host = findHost(table, end.internal, end.realm)
    return host === 0 ? 0 : word(table, HOST, host, Host.COUNT)
  }
  if (config.quota === 0 || count() < config.quota) return true
  for (const row of pinholesOf(step, end.internal, end.realm)) sweep(step, row, changes)
  return count() < config.quota
}

/** The rows of a host's pinholes, newest first: a list of its own, as taking one away changes the links. */
const pinholesOf = ({ table }: FirewallStep, internal: Address, realm: Realm | undefined): number[] => {
  const rows: number[] = []
  const host = findHost(table, internal, realm)
  let row = host === 0 ? 0 : word(table, HOST, host, Host.PINHOLES)
  for (; row !== 0; row = word(table, PINHOLE, row, Pinhole.NEXT)) rows.push(row)
  return rows
}

/** RFC 6887 section 15.1. Of a set of ports, the first decides the answer, and those of another nonce stay. */
export const delMapping = (state: FirewallState, ask: DeleteAsk, now: number): CgnResult<FirewallState> => {
  const step = stepOf(state, now)
  const { table } = step
  const changes: Change[] = []
  const asked = portsAsked(ask.internalPort, ask.portSet)
  const first = findEnd(table, ask)
  const deadline = deadlineOfRow(step, first)
  if (deadline !== 0 && !mayTouch(table, first, ask))
    return refused(ResultCode.NOT_AUTHORIZED, secondsLeft(step, deadline, now))
  for (const row of asked === 1 ? [first] : rowsOf(step, ask, asked))
    if (row !== 0 && !sweep(step, row, changes) && mayTouch(table, row, ask))
      make(step, changes, { type: "deleted", mapping: pinholeAsData(step, row) })
  const nowhere = { ...ask, internal: step.config.family === "ipv4" ? ANY4 : ANY6, internalPort: 0 }
  return done(step, "ok", nowhere, 0, changes, asked)
}

/** A mapping with a nonce is only for whoever knows it; one without is for its host. */
const mayTouch = (table: Table, row: number, ask: DeleteAsk): boolean => {
  const nonce = nonceOf(table, row)
  return nonce === undefined || nonce === ask.nonce
}

/** Pinholes of `asked` ports from an ask's own up: out of the host's, which are fewer than a set of ports can be. */
const rowsOf = (step: FirewallStep, ask: DeleteAsk, asked: number): number[] => {
  const from = (ask.protocol << 16) | ask.internalPort
  const end = (row: number): number => word(step.table, PINHOLE, row, Pinhole.END)
  return pinholesOf(step, ask.internal, ask.realm)
    .filter((row) => end(row) >= from && end(row) < from + asked)
    .sort((a, b) => end(a) - end(b))
}

/** RFC 6886 section 3.4: all of a host and protocol that PCP did not make. */
export const delMappings = (
  state: FirewallState,
  internal: Address,
  realm: Realm | undefined,
  protocol: number,
  now: number,
): { readonly state: FirewallState; readonly complete: boolean; readonly changes: readonly Change[] } => {
  const step = stepOf(state, now)
  const changes: Change[] = []
  let complete = true
  for (const row of pinholesOf(step, internal, realm)) {
    if (word(step.table, PINHOLE, row, Pinhole.END) >>> 16 !== protocol || sweep(step, row, changes)) continue
    if (nonceOf(step.table, row) !== undefined) complete = false
    else make(step, changes, { type: "deleted", mapping: pinholeAsData(step, row) })
  }
  return { state: { version: seal(step.table), config: step.config }, complete, changes }
}
