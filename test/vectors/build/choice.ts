/** RFC 6887 sections 10 and 11.3: the choice of the external end. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { NATS } from "./kinds.ts"
import { ip4, map, mapped, PREFER_FAILURE, peer, RESULT, refused, TCP, u16 } from "./packet.ts"

const { CANNOT_PROVIDE_EXTERNAL } = RESULT

const suggested = group({ requirements: ["S-48"], clause: "RFC 6887 11.3", needs: ["map"], kinds: NATS }, [
  {
    id: "suggested-port",
    title: "a suggested port that is free is assigned",
    steps: [{ send: map({ suggestedPort: "{suggested}" }), expect: mapped({ externalPort: "{suggested}" }) }],
  },
  {
    id: "suggested-port-tcp",
    title: "a suggested TCP port that is free is assigned",
    steps: [
      {
        send: map({ protocol: TCP, suggestedPort: "{suggested}" }),
        expect: mapped({ protocol: TCP, externalPort: "{suggested}" }),
      },
    ],
  },
  {
    id: "suggested-end-again",
    title: "an end that was deleted is had again by suggesting address and port, as after a loss of state",
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ lifetime: 0 }), expect: "02 81 ?1 00 ?4 ?4 ?12 {nonce} 11 ?3 {port} ?2 ?16" },
      { send: map({ suggestedPort: "{externalPort}", suggested: "{external}" }), expect: mapped() },
    ],
  },
  {
    id: "suggested-taken",
    title: "a suggested port that another internal port has: another is assigned",
    requirements: ["S-48", "S-50"],
    level: "MUST",
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped() },
      {
        send: map({ port: "{port2}", suggestedPort: "{externalPort}" }),
        expect: mapped({ port: "{port2}", externalPort: "{second:2}" }),
        where: [{ name: "second", differsFrom: "externalPort" }],
      },
    ],
  },
  {
    id: "suggested-taken-by-host",
    title: "a suggested port that another host has: another is assigned",
    requirements: ["S-48", "S-50"],
    level: "MUST",
    needs: ["map", "second-host"],
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped() },
      {
        from: "client2",
        send: map({ client: "{client2}", suggestedPort: "{externalPort}", suggested: "{external}" }),
        expect: mapped({ externalPort: "{second:2}", external: "{externalB:16}" }),
        where: [{ name: "second", differsFrom: "externalPort" }],
      },
    ],
  },
  {
    id: "suggested-other-protocol",
    title: "a port taken for UDP is free for TCP",
    level: "in effect",
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped({ externalPort: "{suggested}" }) },
      {
        send: map({ protocol: TCP, suggestedPort: "{suggested}" }),
        expect: mapped({ protocol: TCP, externalPort: "{suggested}" }),
      },
    ],
  },
  {
    id: "suggested-out-of-range",
    title: "a suggested port that policy forbids: another is assigned",
    requirements: ["S-48", "S-50"],
    level: "MUST",
    configuration: { ports: { first: 2000, last: 2999 } },
    inProcess: "the server's ports are not known",
    steps: [
      {
        send: map({ suggestedPort: u16(3000) }),
        expect: mapped(),
        where: [{ name: "externalPort", atLeast: 2000, atMost: 2999 }],
      },
    ],
  },
])

const services = group({ requirements: ["S-49"], clause: "RFC 6887 11.3", needs: ["map"], kinds: NATS }, [
  ...[5350, 5351].flatMap((port) => [
    {
      id: `service-port-${port}`,
      title: `external UDP port ${port} is PCP's own: another is assigned`,
      steps: [
        {
          send: map({ suggestedPort: u16(port) }),
          expect: mapped(),
          where: [{ name: "externalPort", differsFrom: `pcp${port}` }],
        },
      ],
    },
    {
      id: `service-port-${port}-prefer-failure`,
      title: `external UDP port ${port} with PREFER_FAILURE: CANNOT_PROVIDE_EXTERNAL`,
      needs: ["map", "prefer-failure"] as const,
      steps: [
        {
          send: map({ suggestedPort: u16(port), options: PREFER_FAILURE }),
          expect: refused("81", CANNOT_PROVIDE_EXTERNAL),
          effects: [],
        },
      ],
    },
    {
      id: `service-port-${port}-peer`,
      title: `external UDP port ${port} suggested with PEER: not given`,
      needs: ["peer"] as const,
      steps: [{ send: peer({ suggestedPort: u16(port) }), expect: refused("82", CANNOT_PROVIDE_EXTERNAL) }],
    },
  ]),
])

const harmless = group({ requirements: ["S-50"], clause: "RFC 6887 11.3", needs: ["map"], kinds: ["nat444"] }, [
  ...["127.0.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.99", "0.0.0.1", "10.0.0.1"].map((text) => ({
    id: `suggested-address-${text}`,
    title: `a suggested address that can't be had, ${text}, does no harm`,
    steps: [{ send: map({ suggested: ip4(text) }), expect: mapped() }],
  })),
  {
    id: "suggested-address-ipv6",
    title: "a suggested IPv6 address where external addresses are IPv4 does no harm",
    steps: [{ send: map({ suggested: "20010db8000000000000000000000001" }), expect: mapped() }],
  },
  {
    id: "suggested-prefer-failure-taken",
    title: "PREFER_FAILURE with a port that another mapping has: CANNOT_PROVIDE_EXTERNAL",
    needs: ["map", "prefer-failure"],
    steps: [
      { send: map({ suggestedPort: "{suggested}" }), expect: mapped() },
      {
        send: map({
          port: "{port2}",
          suggestedPort: "{externalPort}",
          suggested: "{external}",
          options: PREFER_FAILURE,
        }),
        expect: refused("81", CANNOT_PROVIDE_EXTERNAL),
        effects: [],
      },
    ],
  },
  ...["127.0.0.1", "224.0.0.1", "192.0.2.99"].map((text) => ({
    id: `suggested-prefer-failure-${text}`,
    title: `PREFER_FAILURE with an address that can't be had, ${text}: CANNOT_PROVIDE_EXTERNAL`,
    needs: ["map", "prefer-failure"] as const,
    steps: [
      {
        send: map({ suggestedPort: "{suggested}", suggested: ip4(text), options: PREFER_FAILURE }),
        expect: refused("81", CANNOT_PROVIDE_EXTERNAL),
        effects: [],
      },
    ],
  })),
])

const one = group({ requirements: ["S-51"], clause: "RFC 6887 11.3", needs: ["map"] }, [
  {
    id: "no-companion-udp",
    title: "a UDP mapping makes no TCP mapping: another nonce is free to map TCP",
    steps: [
      { send: map(), expect: mapped(), mappings: [{ kind: "map", protocol: 17 }] },
      {
        send: map({ protocol: TCP, nonce: "{nonce2}" }),
        expect: mapped({ protocol: TCP, nonce: "{nonce2}", externalPort: "{second:2}" }),
      },
    ],
  },
  {
    id: "no-companion-tcp",
    title: "a TCP mapping makes no UDP mapping",
    steps: [
      { send: map({ protocol: TCP }), expect: mapped({ protocol: TCP }), mappings: [{ kind: "map", protocol: 6 }] },
      {
        send: map({ nonce: "{nonce2}" }),
        expect: mapped({ nonce: "{nonce2}", externalPort: "{second:2}" }),
      },
    ],
  },
])

const POOL = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"]

const addresses = group({ requirements: ["S-53"], clause: "RFC 6887 10", needs: ["map"], kinds: ["nat444"] }, [
  {
    id: "address-of-host",
    title: "all mappings of a host have one external address",
    configuration: { external: POOL },
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ port: "{port2}" }), expect: mapped({ port: "{port2}", externalPort: "{second:2}" }) },
      { send: map({ protocol: TCP }), expect: mapped({ protocol: TCP, externalPort: "{third:2}" }) },
    ],
  },
  {
    id: "address-suggested",
    title: "a suggested address of the pool is had, though the host has mappings on another",
    configuration: { external: POOL },
    inProcess: "the server's external addresses are not known",
    steps: POOL.map((text, i) => ({
      send: map({ port: u16(4000 + i), suggested: ip4(text) }),
      expect: mapped({ port: u16(4000 + i), externalPort: `{port${i}x:2}`, external: ip4(text) }),
    })),
  },
  {
    id: "address-again",
    title: "a host without mappings left gets an external address again",
    level: "MAY",
    configuration: { external: POOL },
    steps: [
      { send: map(), expect: mapped() },
      { send: map({ lifetime: 0 }), expect: "02 81 ?1 00 ..." },
      {
        send: map({ port: "{port2}" }),
        expect: mapped({ port: "{port2}", externalPort: "{second:2}", external: "?16" }),
      },
    ],
  },
])
export const choice: readonly Case[] = [...suggested, ...services, ...harmless, ...one, ...addresses]
