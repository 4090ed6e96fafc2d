import type { Example } from "./example.ts"
import { EXTERNAL, example, hex } from "./packet.ts"

const MAPPING = { protocol: "udp", internalPort: 4242, lifetime: 3600 } as const

/** NAT-PMP (RFC 6886). */
export const NATPMP_EXAMPLES: readonly Example[] = [
  example(
    "NAT-PMP",
    "natpmp-address",
    "External address",
    "Two octets ask, twelve answer (RFC 6886 section 3.2).",
    { kind: "natpmp-address-request" },
    { kind: "natpmp-address-response", result: 0, epoch: 42, external: EXTERNAL },
  ),
  example(
    "NAT-PMP",
    "natpmp-map",
    "Mapping",
    "UDP port 4242, and what became of it (RFC 6886 section 3.3).",
    { kind: "natpmp-map-request", ...MAPPING, externalPort: 4242 },
    { kind: "natpmp-map-response", ...MAPPING, externalPort: 41001, result: 0, epoch: 43 },
  ),
  example(
    "NAT-PMP",
    "natpmp-delete",
    "Deletion of all",
    "Port 0 and lifetime 0: all UDP mappings of this host (RFC 6886 section 3.4).",
    {
      kind: "natpmp-map-request",
      protocol: "udp",
      internalPort: 0,
      externalPort: 0,
      lifetime: 0,
    },
  ),
  example(
    "NAT-PMP",
    "natpmp-refused",
    "Not authorized",
    "The gateway can, and its user has turned it off (RFC 6886 section 3.5).",
    { kind: "natpmp-map-response", ...MAPPING, externalPort: 0, lifetime: 0, result: 2, epoch: 44 },
  ),
  example(
    "NAT-PMP",
    "natpmp-version",
    "Unsupported version",
    "What a NAT-PMP gateway answers to PCP: a response without a response bit (RFC 6886 section 3.5).",
    { kind: "natpmp-version-error", opcode: 0, epoch: 45 },
  ),
  example(
    "NAT-PMP",
    "natpmp-opcode",
    "Unsupported opcode",
    "The request comes back with result 5 in it (RFC 6886 section 3.5).",
    hex("00 85 0005 01020304"),
  ),
]
