import { isDoubleNat } from "./address-class.ts"
import type { Assigned } from "./event.ts"
import type { MappingRequest } from "./request.ts"

/** What real servers do that the RFCs do not say, and what the client makes of it. */
export interface Quirk {
  readonly what: string
  readonly does: string
  /** Where it was seen. */
  readonly reference: string
}

export type QuirkName =
  | "refuses-port-0"
  | "short-grant"
  | "other-port"
  | "double-nat"
  | "no-address"
  | "delete-no-resources"
  | "short-reply"
  | "options-in-reply"
  | "port-modulo-256"
  | "reply-from-other-address"
  | "error-lifetime-0"
  | "version-error-without-r-bit"

export const QUIRKS: Readonly<Record<QuirkName, Quirk>> = {
  "refuses-port-0": {
    what: "NAT-PMP refuses a suggested external port of 0.",
    does: "Asks once more at once, with the internal port as suggestion.",
    reference: "MikroTik RouterOS: tailscale issue 13785",
  },
  "short-grant": {
    what: "A mapping is granted for less than the 120 s that RFC 6887 section 15 recommends, whatever was asked for.",
    does: "Renews by what was granted.",
    reference: "ProtonVPN grants 60 s: transmission pull request 1602",
  },
  "other-port": {
    what: "Another external port than the suggested one is assigned.",
    does: "Says so; it is no error (RFC 6887 section 11.2).",
    reference: "py-natpmp issue 12",
  },
  "double-nat": {
    what: "The external address is a private one, or one of 100.64.0.0/10.",
    does: "Reports its class: another NAT is in front of this one.",
    reference: "tailscale pull request 13639, issue 5236",
  },
  "no-address": {
    what: "The external address is 0.0.0.0: the gateway's own line is down, or it does not say its address.",
    does: "Reports its class, and keeps the mapping: it is of use once the address is there.",
    reference: "tailscale issue 5236",
  },
  "delete-no-resources": {
    what: "Deleting a mapping that is not there is answered with NO_RESOURCES.",
    does: "Asks no more for its deletion, and leaves the server alone for the error's lifetime (RFC 6887 section 11.4).",
    reference: "miniupnp issue 132",
  },
  "short-reply": {
    what: "A reply has fewer octets than a result code needs.",
    does: "Ignores it (RFC 6887 section 8.3) and goes on asking.",
    reference: "lnd issue 2008",
  },
  "options-in-reply": {
    what: "A reply has options that nobody asked for.",
    does: "Takes the reply (RFC 6887 section 7.3).",
    reference: "RFC 6887 section 7.3; libtorrent takes replies of exactly 60 octets only",
  },
  "port-modulo-256": {
    what: "A NAT-PMP reply has the low or swapped octets of the port that was asked for.",
    does: "Ignores it: it may be anybody's mapping.",
    reference: "miniupnp issue 196, syncthing pull request 2968",
  },
  "reply-from-other-address": {
    what: "A reply that has the right nonce comes from another address than the server's, as from routers that share one.",
    does: "Ignores it, unless acceptResponsesFrom has the address.",
    reference: "CARP and VRRP: tailscale issue 5502",
  },
  "error-lifetime-0": {
    what: "An error has a lifetime of 0.",
    does: "Waits for as long as RFC 6887 section 7.4 recommends for that result.",
    reference: "miniupnpd, for all long-lifetime errors",
  },
  "version-error-without-r-bit": {
    what: "The version error of NAT-PMP has no response bit.",
    does: "Takes it as the response that it is (RFC 6886 section 3.5).",
    reference: "RFC 6886 section 3.5 against RFC 6887 section 8.3",
  },
}

/** Seconds: the shortest lifetime that a server should grant (RFC 6887 section 15). */
const SHORT_GRANT = 120

/** What is odd about a grant. */
export const quirksOf = (request: MappingRequest, suggestedPort: number, mapping: Assigned): readonly QuirkName[] => {
  const quirks: QuirkName[] = []
  if (mapping.lifetime < SHORT_GRANT && request.lifetime >= SHORT_GRANT) quirks.push("short-grant")
  if (suggestedPort !== 0 && mapping.externalPort !== suggestedPort) quirks.push("other-port")
  if (isDoubleNat(mapping.class)) quirks.push("double-nat")
  if (mapping.class === "unspecified") quirks.push("no-address")
  return quirks
}

/** The same two octets, but one of them is lost or they changed places. */
export const isMangledPort = (asked: number, answered: number): boolean =>
  answered !== asked &&
  (answered === (asked & 0xff) || answered === asked >>> 8 || answered === (((asked & 0xff) << 8) | (asked >>> 8)))
