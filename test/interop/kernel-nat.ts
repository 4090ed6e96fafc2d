/** A NAPT44 twice: nftables' masquerading and port forwarding, and this project's with the same settings. */
import assert from "node:assert/strict"
import { createCgn, translate } from "../../core/cgn/index.ts"
import { address } from "../core/cgn/packet/scene.ts"
import type { Router } from "./kernel.ts"
import { type Carry, carrying } from "./kernel-compare.ts"

export const [HOST, OTHER, EXTERNAL, PEER, STRANGER, HOP] = [
  "10.0.0.7",
  "10.0.0.8",
  "198.51.100.1",
  "192.0.2.9",
  "192.0.2.10",
  "203.0.113.9",
]
export const router: Router = {
  ip: ["addr add 10.0.0.1/24 dev in", "addr add 198.51.100.1/24 dev out", "link set out mtu 1400"],
  nft: `table ip nat {
    chain pre {
      type nat hook prerouting priority dstnat
      ip daddr ${EXTERNAL} udp dport 8053 dnat to ${HOST}:53
      ip daddr ${EXTERNAL} tcp dport 8080 dnat to ${HOST}:80
    }
    chain post {
      type nat hook postrouting priority srcnat
      ip saddr 10.0.0.0/24 ip daddr 10.0.0.0/24 snat to ${EXTERNAL}
      oifname "out" ip saddr 10.0.0.0/24 masquerade
    }
    chain forward {
      type filter hook forward priority filter
      ct state invalid drop
    }
    chain input {
      type filter hook input priority filter; policy drop
    }
  }`,
}

/** As conntrack does it: ports kept where they are free, and only whom the host talks with let in. */
export const nat = (): Carry => {
  const internal = address(`::ffff:${HOST}`)
  const external = address(`::ffff:${EXTERNAL}`)
  const made = createCgn({
    external: [external],
    ports: { first: 1024, last: 65535 },
    quota: 0,
    filterLimit: 8,
    idleTimeout: { udp: 300, tcp: 7440 },
    staticMappings: [
      { protocol: 17, internal, internalPort: 53, external, externalPort: 8053 },
      { protocol: 6, internal, internalPort: 80, external, externalPort: 8080 },
    ],
    translation: {
      filtering: "address-and-port-dependent",
      ports: "preserve",
      mtu: { inside: 1500, outside: 1400 },
      routers: { inside: address("::ffff:10.0.0.1"), outside: external },
    },
    secret: new Uint8Array(32).fill(3),
    now: 0,
  })
  assert.ok(made.ok)
  return carrying(made.state, translate)
}
