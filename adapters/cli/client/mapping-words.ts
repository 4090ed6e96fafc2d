import {
  ADDRESS_CLASSES,
  type Assigned,
  isDoubleNat,
  type MappingRequest,
  QUIRKS,
  type QuirkName,
} from "../../../core/client/index.ts"
import { formatAddress, isIpv4, type Prefix64, readAddress } from "../../../core/wire/index.ts"
import { formatEndpoint } from "../endpoint.ts"
import { durationText } from "./duration.ts"

/** `PCP` or `NAT-PMP`. */
export const viaText = (protocol: "pcp" | "nat-pmp"): string => (protocol === "pcp" ? "PCP" : "NAT-PMP")

/** Where a mapping is reached: `203.0.113.7:8080`, `203.0.113.7:8080-8083` of a set, and an address alone for all ports. */
export const externalText = ({ external, externalPort, ports }: Assigned): string => {
  if (externalPort === 0) return formatAddress(external)
  const end = formatEndpoint({ address: external, port: externalPort })
  return ports > 1 ? `${end}-${externalPort + ports - 1}` : end
}

/** `64:ff9b::/96`: what a NAT64 puts before an IPv4 address (RFC 7225). */
export const prefixText = ({ prefix }: Prefix64): string => {
  const octets = new Uint8Array(16)
  octets.set(prefix)
  return `${formatAddress(readAddress(octets, 0))}/${prefix.length * 8}`
}

/** `8080/tcp is reached at 203.0.113.7:8080 for 2 h, by PCP of 192.168.1.1`. */
export const mappedText = (id: string, request: MappingRequest, server: string, mapping: Assigned): string => {
  const { protocol, lifetime } = mapping
  const verb = request.kind === "inbound" ? "is reached at" : "leaves from"
  return `${id} ${verb} ${externalText(mapping)} for ${durationText(lifetime)}, by ${viaText(protocol)} of ${server}`
}

/** What a grant has that is not what was asked for, and what is odd about it: a line each, for people. */
export const remarksOf = (
  id: string,
  request: MappingRequest,
  chosen: boolean,
  mapping: Assigned,
  quirks: readonly QuirkName[],
): readonly string[] => {
  const remarks: string[] = []
  const say = (text: string): void => {
    remarks.push(`${id}: ${text}`)
  }
  const { externalPort = 0, external } = request
  if (externalPort !== 0 && mapping.externalPort !== externalPort)
    say(
      chosen
        ? `${externalPort} was asked for outside and ${mapping.externalPort} assigned, which is no error: another host may have ${externalPort}; --prefer-failure would rather have nothing`
        : `the port outside is ${mapping.externalPort}, not ${externalPort}: that is the one to tell others`,
    )
  if (external !== undefined && mapping.external !== external)
    say(`${formatAddress(external)} was asked for and ${formatAddress(mapping.external)} assigned, which is no error`)
  if (mapping.lifetime !== request.lifetime && !quirks.includes("short-grant"))
    say(`it is for ${durationText(mapping.lifetime)}, not ${durationText(request.lifetime)}: the server decides`)
  if (request.kind === "inbound" && request.portSet !== undefined && mapping.ports < request.portSet.size)
    say(`${mapping.ports === 1 ? "1 port was" : `${mapping.ports} ports were`} assigned, not ${request.portSet.size}`)
  for (const one of mapping.prefixes)
    say(
      `the NAT64's prefix is ${prefixText(one)}${one.suffix.some((octet) => octet !== 0) ? ", and it has a suffix" : ""}`,
    )
  if (request.kind === "inbound" && request.prefix64 === true && mapping.prefixes.length === 0)
    say("the server told no NAT64 prefix")
  // Of a firewall, which changes no address, too.
  if (mapping.class !== "public") say(`${formatAddress(mapping.external)} is ${ADDRESS_CLASSES[mapping.class]}`)
  if (isDoubleNat(mapping.class) && isIpv4(mapping.external))
    say("for the Internet to reach it, the NAT in front has to map it too: ask there, or use a bridge mode")
  for (const quirk of quirks)
    if (quirk !== "other-port" && quirk !== "double-nat") say(`${QUIRKS[quirk].what} ${QUIRKS[quirk].does}`)
  return remarks
}
