import { clock } from "#runtime"
import { ADDRESS_CLASSES, type AddressClass, isDoubleNat } from "../../../core/client/index.ts"
import { type Address, formatAddress } from "../../../core/wire/index.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { wallClock } from "../wall-clock.ts"
import { failureRecord } from "./failure.ts"
import { serverRecord } from "./find.ts"
import type { Inquiry } from "./inquiry.ts"
import { viaText } from "./mapping-words.ts"
import type { ServerOptions } from "./server-options.ts"
import { isForgiven, sayFailure, survey } from "./survey.ts"
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
  const seen = await survey({ address: true, mapping: "fallback" }, options)
  if (typeof seen === "number") return seen
  const { inquiries } = seen
  const isSomebody = inquiries.some((one) => outsideOf(one) !== undefined)
  const left = inquiries.filter((one) => outsideOf(one) === undefined && !isForgiven(one, seen, isSomebody))
  for (const one of inquiries) tell(one, !left.includes(one), options.json === true)
  if (left.length === 0) return Exit.DONE
  return isSomebody ? Exit.PARTLY : worstOf(left.map(({ address, mapped }) => failureOf(mapped) ?? failureOf(address)))
}

const failureOf = (reply: Inquiry["address"] | Inquiry["mapped"]) => (reply?.ok === false ? reply.failure : undefined)

const tell = (one: Inquiry, forgiven: boolean, json: boolean): void => {
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
    else sayFailure(server.name, failure, forgiven)
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
