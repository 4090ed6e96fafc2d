import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
import {
  answerWho,
  askWho,
  CGN_DEFAULTS,
  type CgnChangeable,
  createCgn,
  type Holder,
  type LoggedAssignment,
  readRecord,
  type Who,
} from "../../core/cgn/index.ts"
import { formatAddress, Protocol } from "../../core/wire/index.ts"
import { reasonOf } from "../system-error.ts"
import type { Endpoint } from "../udp.ts"
import { complain } from "./complain.ts"
import { planSettings } from "./config/plan.ts"
import { formatEndpoint } from "./endpoint.ts"
import { endRecord, formatPrefix } from "./entry-json.ts"
import { Exit, type ExitCode } from "./exit.ts"
import { shortProtocol } from "./mapping-text.ts"
import type { Read } from "./read.ts"
import type { WhoOptions } from "./who.ts"
import { readLine } from "./who-log.ts"

/** Prints who had an external end; gives the exit code. */
export const who = async (end: Endpoint, options: WhoOptions): Promise<ExitCode> => {
  const { at = Number.POSITIVE_INFINITY, protocol } = options
  if (options.config === undefined && options.log === undefined) {
    complain("give --log, --config or both: nothing else tells who had an external port")
    return Exit.USAGE
  }
  const settings = options.config === undefined ? undefined : await settingsOf(options.config)
  if (settings?.ok === false) {
    complain(settings.text)
    return Exit.USAGE
  }
  const kind = settings?.value.assignment?.kind ?? "random"
  if (options.log === undefined && kind !== "deterministic" && (settings?.value.staticMappings ?? []).length === 0) {
    complain(`${options.config}: with an assignment of kind ${kind} only a log tells who had a port: give --log`)
    return Exit.USAGE
  }
  const protocols = protocol === undefined ? [Protocol.UDP, Protocol.TCP] : [protocol]
  let asked = protocols.map((one) =>
    begin(
      askWho({ external: end.address, protocol: one, port: end.port, at }, settings && loggedOf(settings.value)),
      settings?.value,
    ),
  )
  let bad = 0
  if (options.log !== undefined) {
    try {
      for await (const line of linesOf(options.log, formatAddress(end.address))) {
        const record = readLine(line)
        if (record === "bad") bad++
        else if (record !== undefined) asked = asked.map((one) => readRecord(one, record))
      }
    } catch (cause) {
      complain(`cannot read ${options.log}: ${reasonOf(cause)}`)
      return Exit.USAGE
    }
  }
  let found = 0
  for (const one of asked) {
    const holder = answerWho(one)
    if (holder !== undefined) found++
    if (holder !== undefined || options.json === true) print(one, holder, end, options)
  }
  if (bad > 0) complain(`${options.log}: left out ${bad === 1 ? "1 line" : `${bad} lines`} that could not be read`)
  if (found === 0) complain(`nobody had ${formatEndpoint(end)}${timeText(at)}, as far as is known`)
  if (bad > 0) return Exit.PARTLY
  return found === 0 ? Exit.FAILED : Exit.DONE
}

const settingsOf = async (file: string): Promise<Read<CgnChangeable>> => {
  const planned = await planSettings(file)
  if (!planned.ok) return planned
  const { cgn } = planned.value
  const made = createCgn({ ...cgn, secret: new Uint8Array(32), now: 0 })
  return made.ok ? { ok: true, value: cgn } : { ok: false, text: `${file}: ${made.error.text}` }
}

const loggedOf = ({ assignment, external, ports, subscriberPrefix }: CgnChangeable): LoggedAssignment => ({
  assignment: assignment ?? CGN_DEFAULTS.assignment,
  external,
  ports,
  subscriberPrefix: subscriberPrefix ?? CGN_DEFAULTS.subscriberPrefix,
})

/** The question with the administrator's mappings, which are in no log. */
const begin = (asked: Who, settings: CgnChangeable | undefined): Who => {
  let told = asked
  for (const mapping of settings?.staticMappings ?? []) {
    const logged = { kind: "static", remote: undefined, remotePort: 0, ...mapping, realm: mapping.realm } as const
    told = readRecord(told, { at: Number.NEGATIVE_INFINITY, change: { type: "created", mapping: logged } })
  }
  return told
}

/** Lines of a log that may say something of an external address: the rest need not be taken apart. */
async function* linesOf(file: string, external: string): AsyncGenerator<string> {
  const input = file === "-" ? process.stdin : createReadStream(file)
  const wanted = [`"${external}"`, '"assignment"']
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) if (!line.startsWith("{") || wanted.some((text) => line.includes(text))) yield line
}

const timeText = (at: number): string => (Number.isFinite(at) ? ` at ${new Date(at).toISOString()}` : "")

const print = ({ ask }: Who, holder: Holder | undefined, end: Endpoint, { json }: WhoOptions): void => {
  const text =
    json === true ? JSON.stringify(recordOf(ask.protocol, ask.at, end, holder)) : holder && textOf(ask.protocol, holder)
  if (text !== undefined) process.stdout.write(`${text}\n`)
}

const isKnown = (since: number | undefined): since is number => since !== undefined && Number.isFinite(since)

const recordOf = (protocol: number, at: number, end: Endpoint, holder: Holder | undefined): object => {
  const asked = {
    external: endRecord(end),
    protocol,
    ...(Number.isFinite(at) ? { at: new Date(at).toISOString() } : {}),
  }
  if (holder === undefined) return { ...asked, by: null }
  const { by, of, subscriber, realm, internalPort, identifier, since } = holder
  return {
    ...asked,
    by,
    [of === "realm" ? "realms" : "subscriber"]: formatPrefix(subscriber.address, subscriber.prefixLength),
    ...(realm === undefined ? {} : { realm: formatAddress(realm) }),
    ...(internalPort === undefined ? {} : { internal: endRecord({ address: subscriber.address, port: internalPort }) }),
    ...(identifier === undefined ? {} : { identifier }),
    ...(isKnown(since) ? { since: new Date(since).toISOString() } : {}),
  }
}

const BY = { mapping: "a mapping", block: "a block", range: "its range" } as const

const textOf = (protocol: number, { by, of, subscriber, realm, internalPort, since }: Holder): string => {
  const { address, prefixLength } = subscriber
  const single = prefixLength === 128 ? formatAddress(address) : formatPrefix(address, prefixLength)
  const whose = internalPort === undefined ? single : formatEndpoint({ address, port: internalPort })
  const inRealm = realm === undefined ? "" : ` of realm ${formatAddress(realm)}`
  const start = isKnown(since) ? ` since ${new Date(since).toISOString()}` : ""
  return `${shortProtocol(protocol).padEnd(4)} ${of === "realm" ? "realm " : ""}${whose}${inRealm}, by ${BY[by]}${start}`
}
