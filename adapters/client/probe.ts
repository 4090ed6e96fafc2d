import { ADDRESS_CLASSES, type Failure } from "../../core/client/index.ts"
import { type Address, familyOf, formatAddress, isIpv4, PCP_VERSION, ResultCode } from "../../core/wire/index.ts"
import type { Engine } from "./engine.ts"
import { ask } from "./errand.ts"
import { failureText, PortControlError } from "./error.ts"
import { addressBy } from "./external-address.ts"
import { type ExternalAddress, externalAddressOf } from "./external-end.ts"
import type { ServerProblem } from "./servers.ts"
import { checkWaiting, type Waiting } from "./waiting.ts"

/** What one protocol's probe came to. */
export type ProtocolReport =
  /** It answered. `epoch`: seconds since it lost its state last. */
  | { readonly speaks: true; readonly epoch: number | undefined; readonly result: number }
  /** It did not; without a failure, not in time. */
  | { readonly speaks: false; readonly failure: Failure | undefined }

/** What is known of one server. */
export interface ServerReport {
  /** The server's name. */
  readonly server: string
  /** This host's address on the way there. */
  readonly client: Address
  /** PCP, version 2. Result code NOT_AUTHORIZED: it is there, and switched off. */
  readonly pcp: ProtocolReport
  /** NAT-PMP, version 0; `undefined` where it is not asked: IPv6. */
  readonly natPmp: ProtocolReport | undefined
  /** The versions that it answered in. */
  readonly versions: readonly number[]
  /** The external address, as it says it; `undefined`: it does not. */
  readonly external: ExternalAddress | undefined
  /** Why PCP gave no mapping to see its external address by; `undefined`: it gave one, was not asked, or did not answer. */
  readonly refusal: Failure | undefined
}

/** What to do next, in a line for people. */
export interface Hint {
  /** Short and stable, for programs. */
  readonly code:
    | "no-server"
    | "not-asked"
    | "no-answer"
    | "switched-off"
    | "nat-pmp-only"
    | "refused"
    | "no-external-address"
    | "double-nat"
    | "not-public"
    | "no-nat"
  /** The server's name; `undefined`: it is about all of them. */
  readonly server: string | undefined
  /** For people. */
  readonly text: string
}

/** A doctor's report. */
export interface ProbeReport {
  /** What each server is and does. */
  readonly servers: readonly ServerReport[]
  /** Why others are not asked. */
  readonly problems: readonly ServerProblem[]
  /** What to do next; none: all is well. */
  readonly hints: readonly Hint[]
}

/** What a probe may do, and how long. */
export interface ProbeOptions extends Waiting {
  /** PCP tells its external address with a short mapping alone (RFC 6887 section 11.6): false leaves that out. Default true. */
  readonly map?: boolean | undefined
}

/** Milliseconds for all servers together. */
const TIMEOUT = 10_000
/** Transmissions of ANNOUNCE. */
const TRIES = 2

/** Asks each server for what it speaks, in which version, and for its external address. Rejects only if it is aborted, or the timeout is none. */
export const probeServers = async (engine: Engine, options: ProbeOptions = {}): Promise<ProbeReport> => {
  const { signal, timeout = TIMEOUT, map = true } = options
  const { clock } = engine.runtime
  const until = clock.now() + timeout
  checkWaiting(options)
  const left = (): Waiting => ({ signal, timeout: Math.max(0, until - clock.now()) })
  const servers = await Promise.all(
    engine.servers().map(({ name, ends }) => reportOn(engine, name, ends[0].client, left, map)),
  )
  if (signal?.aborted) throw new PortControlError("aborted", "the call was aborted", { cause: signal.reason })
  const problems = engine.problems()
  return { servers, problems, hints: [...problems.map(problemHint), ...servers.flatMap(hintsOf)] }
}

const reportOn = async (
  engine: Engine,
  server: string,
  client: Address,
  left: () => Waiting,
  map: boolean,
): Promise<ServerReport> => {
  const [hello, natPmpAnswer] = await Promise.all([
    patiently(ask(engine, server, { type: "announce", tries: TRIES }, left())),
    isIpv4(client) ? patiently(ask(engine, server, { type: "external-address" }, left())) : undefined,
  ])
  const silent = { speaks: false, failure: hello?.type === "failed" ? hello.failure : undefined } as const
  const pcp: ProtocolReport =
    hello?.type === "announced" && hello.protocol === "pcp"
      ? { speaks: true, epoch: hello.epoch, result: hello.result }
      : hello?.type === "announced"
        ? { speaks: false, failure: { kind: "unsupported-version", version: 0, lifetime: 0 } }
        : silent
  const natPmp: ProtocolReport | undefined = !isIpv4(client)
    ? undefined
    : natPmpAnswer?.type === "external-address"
      ? { speaks: true, epoch: engine.state().servers.get(server)?.natPmpEpoch?.server, result: 0 }
      : hello?.type === "announced" && hello.protocol === "nat-pmp"
        ? { speaks: true, epoch: hello.epoch, result: hello.result }
        : { speaks: false, failure: natPmpAnswer?.type === "failed" ? natPmpAnswer.failure : undefined }
  const versions = [...(pcp.speaks ? [PCP_VERSION] : []), ...(natPmp?.speaks ? [0] : [])]
  const asked =
    map && pcp.speaks && pcp.result !== ResultCode.NOT_AUTHORIZED
      ? await patiently(addressBy(engine, server, "pcp", left()))
      : undefined
  const byNatPmp = natPmpAnswer?.type === "external-address" ? externalAddressOf(natPmpAnswer.external) : undefined
  return { server, client, pcp, natPmp, versions, external: asked?.external ?? byNatPmp, refusal: asked?.failure }
}

/** Nothing, where the caller's patience ended. */
const patiently = async <T>(promise: Promise<T>): Promise<T | undefined> => {
  try {
    return await promise
  } catch {
    return undefined
  }
}

const problemHint = ({ code, server, text }: ServerProblem): Hint =>
  code === "no-gateway"
    ? {
        code: "no-server",
        server,
        text: `${text}. Is this host on a network? If its router has no route of ours, name it.`,
      }
    : { code: "not-asked", server, text }

const hintsOf = (report: ServerReport): readonly Hint[] => {
  const { server, pcp, natPmp, external, client } = report
  const hint = (code: Hint["code"], text: string): Hint => ({ code, server, text })
  const isSwitchedOff = pcp.speaks && pcp.result === ResultCode.NOT_AUTHORIZED
  if (!pcp.speaks && !natPmp?.speaks) {
    const failure = pcp.failure ?? natPmp?.failure
    const why = failure === undefined ? "no answer" : failureText(failure)
    return [
      hint(
        "no-answer",
        `It speaks neither PCP nor NAT-PMP (${why}): look for "PCP", "NAT-PMP" or "port mapping" in the router's settings, and switch it on.`,
      ),
    ]
  }
  const hints: Hint[] = []
  if (isSwitchedOff && !natPmp?.speaks)
    hints.push(hint("switched-off", "PCP is there, and switched off for this host: allow it in the router's settings."))
  if (natPmp?.speaks && !pcp.speaks)
    hints.push(
      hint("nat-pmp-only", "It speaks NAT-PMP alone: TCP and UDP over IPv4, without filters or other options."),
    )
  if (report.refusal !== undefined)
    hints.push(hint("refused", `It speaks PCP, and grants no mapping: ${failureText(report.refusal)}.`))
  if (external === undefined) return hints
  const { class: kind, text, address } = external
  if (kind === "unspecified" || kind === "this-network")
    hints.push(
      hint(
        "no-external-address",
        `Its external address is ${text}, ${ADDRESS_CLASSES[kind]}: its own line may be down.`,
      ),
    )
  else if (external.isDoubleNat)
    hints.push(
      hint(
        "double-nat",
        `Its external address is ${text}, ${ADDRESS_CLASSES[kind]}. Ask that one for the port too, or have the router bridged.`,
      ),
    )
  else if (address === client && familyOf(client) === "ipv4")
    hints.push(
      hint("no-nat", `Its external address is this host's own, ${formatAddress(client)}: nothing is translated.`),
    )
  else if (kind !== "public")
    hints.push(
      hint(
        "not-public",
        `Its external address is ${text}, ${ADDRESS_CLASSES[kind]}: nobody on the Internet reaches a port there. Look at what the router's own line has for an address.`,
      ),
    )
  return hints
}
