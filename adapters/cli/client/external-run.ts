import { clock } from "#runtime"
import { ADDRESS_CLASSES, type AddressClass, isDoubleNat } from "../../../core/client/index.ts"
import { type Address, formatAddress } from "../../../core/wire/index.ts"
import { complain, note } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { wallClock } from "../wall-clock.ts"
import { failureRecord, failureText } from "./failure.ts"
import { complainOf, find, serverRecord } from "./find.ts"
import { hasAnswered, type Inquiry, inquire } from "./inquiry.ts"
import { viaText } from "./mapping-words.ts"
import type { ServerOptions } from "./server-options.ts"
import { worstOf } from "./verdict.ts"

/** An external address, and how it was learned. */
export interface Outside {
  readonly external: Address
  readonly class: AddressClass
  readonly via: "pcp" | "nat-pmp"
}

/** What is known of a server's external address. */
export const outsideOf = ({ address, mapped }: Inquiry): Outside | undefined => {
  if (address?.ok) return { ...address.value, via: "nat-pmp" }
  if (mapped?.ok) return { external: mapped.value.external, class: mapped.value.class, via: mapped.value.protocol }
  return undefined
}

/** Prints the external address that each server has for us; gives the exit code. */
export const external = async (options: ServerOptions): Promise<ExitCode> => {
  const found = await find(options)
  if (!found.ok) {
    complain(found.text)
    return Exit.USAGE
  }
  complainOf(found.value)
  const { servers, named } = found.value
  if (servers.length === 0) return Exit.FAILED
  const asked = await inquire(servers, named, { address: true, mapping: "fallback" }, options)
  if (!asked.ok) {
    complain(asked.text)
    return Exit.USAGE
  }
  const isSomebody = asked.value.some((one) => outsideOf(one) !== undefined)
  const left = asked.value.filter(
    (one) => !(outsideOf(one) !== undefined || (!named && isSomebody && !hasAnswered(one))),
  )
  for (const one of asked.value) tell(one, !left.includes(one), options.json === true)
  if (left.length === 0) return Exit.DONE
  return isSomebody ? Exit.PARTLY : worstOf(left.map(({ address, mapped }) => failureOf(mapped) ?? failureOf(address)))
}

const failureOf = (reply: Inquiry["address"] | Inquiry["mapped"]) => (reply?.ok === false ? reply.failure : undefined)

const tell = (one: Inquiry, isForgiven: boolean, json: boolean): void => {
  const { server, address, mapped } = one
  const { client: _, ...end } = server.ends[0]
  const head = { time: wallClock(clock).time(), server: serverRecord(end) }
  const outside = outsideOf(one)
  if (outside === undefined) {
    const failure = failureOf(mapped) ?? failureOf(address)
    if (json)
      process.stdout.write(
        `${JSON.stringify({ ...head, event: "failed", ...failureRecord(failure ?? { kind: "no-answer", sent: 0 }) })}\n`,
      )
    else if (isForgiven) note(`${server.name} does not answer: it may speak neither PCP nor NAT-PMP`)
    else complain(`${server.name}: ${failure === undefined ? "no answer, and the time is up" : failureText(failure)}`)
    return
  }
  const { external, class: kind, via } = outside
  if (json) {
    const record = {
      ...head,
      event: "external",
      via,
      address: formatAddress(external),
      class: kind,
      doubleNat: isDoubleNat(kind),
    }
    process.stdout.write(`${JSON.stringify(record)}\n`)
    return
  }
  process.stdout.write(
    `${formatAddress(external)} outside of ${server.name}, says its ${viaText(via)}: ${ADDRESS_CLASSES[kind]}\n`,
  )
}
