import type { Example } from "./example.ts"
import { address, hex } from "./packet.ts"

/** Who has 192.0.2.2, as Ethernet and ARP ask it (RFC 826). */
const ARP = "ffffffffffff 02005e100001 0806 0001 0800 06 04 0001 02005e100001 c0000201 000000000000 c0000202"
const [NEAR, FAR] = [address("198.51.100.1"), address("203.0.113.1")]

/** What hosts of an overlay network send each other, and how they find where to. */
export const OVERLAY_EXAMPLES: readonly Example[] = [
  {
    kind: "packets",
    group: "overlays",
    id: "vxlan-arp",
    title: "ARP in VXLAN",
    why: "A whole Ethernet frame behind eight octets that name its network (RFC 7348, section 5).",
    packets: () => [
      {
        bytes: hex(`08000000 00001700 ${ARP}`),
        direction: undefined,
        source: { address: NEAR, port: 49300 },
        destination: { address: FAR, port: 4789 },
      },
    ],
  },
  {
    kind: "packets",
    group: "overlays",
    id: "svp-vl2",
    title: "Where is this MAC address?",
    why: "SVP_R_VL2_REQ of illumos' varpd, over TCP: its CRC tells it from anything else.",
    packets: () => [
      { bytes: hex("00010003 0000000c 00000001 12bb7dbf deadbeef00000000 00000017"), direction: undefined },
    ],
  },
]
