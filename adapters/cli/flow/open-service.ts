import { clock, entropy, udp } from "#runtime"
import { FIRST_FORM_PORT, FLOW_PORT, QOS_CUBES } from "../../../core/flow/index.ts"
import { ANY4, isIpv4 } from "../../../core/wire/index.ts"
import {
  chainDirectories,
  type Directory,
  dnsDirectory,
  type Flow,
  FlowError,
  type FlowService,
  startFlowService,
  staticDirectory,
  systemDirectory,
} from "../../flow/index.ts"
import { reasonOf } from "../../system-error.ts"
import type { Endpoint, UdpError } from "../../udp.ts"
import { bindReason } from "../bind-error.ts"
import { complain } from "../complain.ts"
import { formatEndpoint } from "../endpoint.ts"
import { Exit, type ExitCode } from "../exit.ts"
import type { DialOptions, FlowOptions } from "./flow-options.ts"

/** Starts the layer that the options describe; `asks`: it serves nothing, and any port of ours will do. */
export const openService = async (options: FlowOptions, asks: boolean): Promise<FlowService> => {
  const form = options.form ?? "current"
  const own = asks ? 0 : form === "first" ? FIRST_FORM_PORT : FLOW_PORT
  const local = (options.listen ?? [{ address: ANY4, port: -1 }]).map((end) => ({
    ...end,
    port: end.port === -1 ? own : end.port,
  }))
  try {
    return await startFlowService({ udp, clock, entropy, local, settings: { form }, directory: directoryOf(options) })
  } catch (cause) {
    if (!(cause instanceof FlowError) || !isRefused(cause.cause)) throw cause
    const { code, text, local: end } = cause.cause
    throw new FlowError("EINVAL", `${formatEndpoint(end)} ${bindReason(code, text, "--listen")}`)
  }
}

/** Is it what the system said of an end that we wanted to listen on? */
const isRefused = (cause: unknown): cause is UdpError & { readonly local: Endpoint } =>
  typeof cause === "object" && cause !== null && "local" in cause && "code" in cause && "text" in cause

const directoryOf = ({ host = [], dns, zone, dnsKey }: FlowOptions): Directory => {
  const hosts: Record<string, string[]> = {}
  for (const one of host) {
    const at = one.lastIndexOf("=")
    const name = one.slice(0, at)
    hosts[name] = [...(hosts[name] ?? []), one.slice(at + 1)]
  }
  try {
    return chainDirectories([
      staticDirectory(hosts),
      dns === undefined ? systemDirectory() : dnsDirectory({ server: dns, zone, key: dnsKey }),
    ])
  } catch (cause) {
    throw new FlowError("EINVAL", reasonOf(cause))
  }
}

/** Asks for the flow that the options describe. */
export const openDialled = async (
  service: FlowService,
  name: string,
  { to, timeout, peerTimeout, listen = [] }: DialOptions,
  signal: AbortSignal,
): Promise<Flow> => {
  const qos = peerTimeout === undefined ? QOS_CUBES.raw : { ...QOS_CUBES.raw, timeout: peerTimeout * 1000 }
  try {
    return await service.flowAlloc(name, { to, timeout, signal, qos })
  } catch (cause) {
    if (!(cause instanceof FlowError) || cause.code !== "EAFNOSUPPORT" || cause.response !== undefined) throw cause
    // The layer listens on one family alone, so that all of its ends are of that.
    const other = listen.some(({ address }) => !isIpv4(address)) ? "0.0.0.0" : "::"
    throw new FlowError(cause.code, `${cause.message.replace(`${cause.code}: `, "")}: it takes --listen ${other}`)
  }
}

/** Says what went wrong, and gives the exit code. */
export const failed = (cause: unknown, json: boolean | undefined): ExitCode => {
  if (!(cause instanceof FlowError)) throw cause
  if (cause.code === "ECANCELED") return Exit.DONE
  if (json === true) print({ event: "failed", code: cause.code, response: cause.response, text: cause.message })
  const reason = cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message
  if (json !== true) complain(reason)
  if (cause.code === "ETIMEDOUT" || cause.code === "EFLOWPEER") return Exit.TIMEOUT
  return isOwnFault(cause) ? Exit.USAGE : Exit.FAILED
}

/** Is it what was typed or configured here, rather than what somebody answered? */
const isOwnFault = ({ code, response }: FlowError): boolean =>
  code === "EINVAL" || code === "EAFNOSUPPORT" || (code === "ENAME" && response === undefined)

export const print = (record: object): void => {
  process.stdout.write(`${JSON.stringify(record)}\n`)
}
