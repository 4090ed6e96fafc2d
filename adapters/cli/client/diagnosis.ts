import {
  ADDRESS_CLASSES,
  type AddressClass,
  classOfAddress,
  type Failure,
  isDoubleNat,
} from "../../../core/client/index.ts"
import { familyOf, formatAddress, NatPmpResult, ResultCode } from "../../../core/wire/index.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { type Outside, outsideOf } from "./external-run.ts"
import { hasAnswered, type Inquiry } from "./inquiry.ts"
import { worstOf } from "./verdict.ts"

/** What a server's answers mean. */
export interface Diagnosis {
  /**
   * `works`: ports can be opened; `double-nat`: they can, but another NAT is in front; `no-address`: the gateway has none outside;
   * `no-route`: it has one that the Internet has no way to; `refused`; `silent`: neither protocol is spoken there.
   */
  readonly finding: "works" | "double-nat" | "no-address" | "no-route" | "refused" | "silent"
  readonly outside: Outside | undefined
  /** What to do next, in plain words, a sentence each. */
  readonly advice: readonly string[]
  /** How a command ends that has this server alone. */
  readonly exit: ExitCode
}

const OFF = 'Look in its settings for PCP, NAT-PMP or "automatic port forwarding", and switch it on.'
const ELSE = "Forward the port by hand there, or use something that needs no open port, such as a relay or a VPN."

/** Addresses that no packet from the Internet comes to, another NAT in front or not. */
const NOWHERE: ReadonlySet<AddressClass> = new Set<AddressClass>([
  "this-network",
  "loopback",
  "protocol",
  "documentation",
  "benchmarking",
  "discard",
  "identifier",
  "multicast",
  "broadcast",
  "reserved",
])

/** What one server's answers mean, and what to do. `named`: it has to be named again to be asked. */
export const diagnose = (inquiry: Inquiry, named = false): Diagnosis => {
  const { server, mapped } = inquiry
  const outside = outsideOf(inquiry)
  if (!hasAnswered(inquiry)) return { finding: "silent", outside, ...silent(inquiry) }
  if (mapped?.ok !== true) {
    const failure = failureOf(inquiry)
    return { finding: "refused", outside, advice: adviceOn(failure), exit: worstOf([failure]) }
  }
  const at = outside ?? { external: mapped.value.external, class: mapped.value.class, via: mapped.value.protocol }
  if (at.class === "unspecified")
    return {
      finding: "no-address",
      outside: at,
      advice: [
        "It has no address outside: its line is down, or it does not know its address. Try again when it is online.",
      ],
      exit: Exit.PARTLY,
    }
  const command = `sallyport map 8080/tcp${named ? ` --server ${server.name}` : ""}`
  if (NOWHERE.has(at.class))
    return {
      finding: "no-route",
      outside: at,
      advice: [
        `It maps to ${formatAddress(at.external)}, ${ADDRESS_CLASSES[at.class]}. The Internet has no way there: give the server a public external address.`,
        `On its own network it can be tried: ${command}`,
      ],
      exit: Exit.PARTLY,
    }
  if (!isDoubleNat(at.class))
    return { finding: "works", outside: at, advice: [`Open a port: ${command}`], exit: Exit.DONE }
  // A server that gives the host's own address is a firewall in front of it, not a NAT.
  const isOwn = server.ends.some(({ client }) => client === at.external)
  const advice = isOwn
    ? ["It opens ports on our own address, which the Internet does not reach: ask for a global IPv6 address there."]
    : at.class === "shared" || at.class === "service-continuity"
      ? [
          "The provider has a NAT of its own in front. It is reached from the Internet only if the provider maps too: ask for a public address, or for PCP.",
          "IPv6 may be open already: see whether an IPv6 gateway is listed here.",
        ]
      : [
          "Another router is in front of this one. Have that one bridge, or forward ports to this one, or ask it as well: sallyport map --server <its address>",
        ]
  return { finding: "double-nat", outside: at, advice, exit: Exit.PARTLY }
}

const failureOf = ({ mapped, announced, address }: Inquiry): Failure | undefined => {
  for (const reply of [mapped, announced, address]) if (reply?.ok === false) return reply.failure
  return undefined
}

const silent = (inquiry: Inquiry): Pick<Diagnosis, "advice" | "exit"> => {
  const failure = failureOf(inquiry)
  const [{ client }] = inquiry.server.ends
  const isPublic = classOfAddress(client) === "public"
  const noNat =
    familyOf(client) === "ipv6"
      ? "IPv6 has no NAT: without a firewall in the way, ports are open as they are."
      : "Our own address is a public one: there may be no NAT in the way at all."
  return {
    advice: [
      failure?.kind === "unreachable"
        ? `It is there, and nothing in it speaks PCP or NAT-PMP. ${OFF}`
        : `Nothing there speaks PCP or NAT-PMP, or a firewall drops it, here or there. ${OFF}`,
      isPublic ? noNat : ELSE,
    ],
    exit: worstOf([failure]),
  }
}

const adviceOn = (failure: Failure | undefined): readonly string[] => {
  if (failure?.kind === "result")
    switch (failure.code) {
      case ResultCode.NOT_AUTHORIZED:
        return [`It speaks PCP, and does not let this host open ports. ${OFF}`, ELSE]
      case ResultCode.ADDRESS_MISMATCH:
        return ["Another NAT is between us and it, or a VPN: ask that one first, see 'sallyport gateways'."]
      case ResultCode.NETWORK_FAILURE:
        return ["Its own line is down: try again when it is online."]
      case ResultCode.NO_RESOURCES:
      case ResultCode.USER_EX_QUOTA:
        return ["It has no room for more mappings now: unmap what is not needed, or try again later."]
      default:
        return [ELSE]
    }
  if (failure?.kind === "natpmp-result")
    switch (failure.code) {
      case NatPmpResult.NOT_AUTHORIZED:
        return [`It speaks NAT-PMP, and does not let this host open ports. ${OFF}`, ELSE]
      case NatPmpResult.NETWORK_FAILURE:
        return ["Its own line is down: try again when it is online."]
      case NatPmpResult.OUT_OF_RESOURCES:
        return ["It has no room for more mappings now: try again later."]
      default:
        return [ELSE]
    }
  if (failure?.kind === "unsupported-version")
    return [`It speaks version ${failure.version} alone, an old draft or something else: an update may help.`, ELSE]
  return ["It answered some questions and not all: try again, with a longer --timeout."]
}
