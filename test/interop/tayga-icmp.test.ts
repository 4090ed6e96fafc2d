/** ICMP errors through tayga and through the stateless translators, those of the translators themselves, and where tayga does otherwise. */
import { describe, test } from "node:test"
import { DATA, icmp4, icmp6, ip4, ip6, type Octets, octets, tcp, udp, w32 } from "../core/cgn/packet/build.ts"
import type { Step } from "./kernel-compare.ts"
import {
  back,
  came6,
  compare,
  error4,
  error6,
  four,
  HOP4,
  HOST4,
  HOST6,
  INNER6,
  OWN_ERRORS,
  out,
  PEER4,
  PEER6,
  STATELESS,
  seen4,
  seen6,
  sent4,
  six,
  skip,
  some,
  step,
  u4,
  u6,
} from "./tayga-compare.ts"

describe("ICMP errors and exceptions beside tayga", { skip }, () => {
  test("NAT-7915-4.2, NAT-7915-4.3: ICMP errors to ICMPv6, with the packet in them", () => {
    const steps: Step[] = []
    const inner = sent4()
    for (let code = 0; code < 17; code++) if (code !== 4) steps.push(step(`3/${code}`, error4(3, code, w32(0), inner)))
    for (const code of [0, 1]) steps.push(step(`11/${code}`, error4(11, code, w32(0), inner)))
    for (const mtu of [1280, 1400, 1480, 1481, 1500, 9000])
      steps.push(step(`MTU ${mtu}`, error4(3, 4, w32(mtu), inner)))
    const about = (what: string, of: Octets) => steps.push(step(what, error4(3, 1, w32(0), of)))
    about("about TCP", ip4({ ...seen4(), protocol: 6, tos: 0xb8, ttl: 1 }, tcp(seen4())))
    about("about echo", ip4({ ...seen4(), protocol: 1 }, icmp4(8, 0, [0x40, 1, 0, 7], DATA)))
    about("about ESP", ip4({ ...seen4(), protocol: 50 }, DATA))
    about("about 8 octets of UDP", inner.subarray(0, 28))
    about("about half of it", sent4(some(900)).subarray(0, 400))
    about("about options", ip4({ ...seen4(), protocol: 17, options: [1, 1, 1, 0] }, udp(seen4())))
    about("with nothing but a header", inner.subarray(0, 20))
    about("about an error", error4(3, 1, w32(0), inner, { source: HOST4, destination: PEER4 }))
    steps.push(
      step("of another type", four(1, icmp4(13, 0, [0, 1, 0, 1], some(12)))),
      step("redirect", error4(5, 1, w32(0), inner)),
      step(
        "with a wrong checksum",
        ip4({ source: HOP4, destination: HOST4, protocol: 1 }, icmp4(3, 1, w32(0), inner, 7)),
      ),
      step("from the peer itself", error4(3, 3, w32(0), inner, back())),
    )
    compare(steps, { carries: STATELESS })
  })

  test("NAT-7915-5.2, NAT-7915-5.3: ICMPv6 errors to ICMP, with the packet in them", () => {
    const steps: Step[] = []
    const inner = came6()
    for (const code of [0, 1, 2, 4, 7, 8]) steps.push(step(`1/${code}`, error6(1, code, w32(0), inner)))
    for (const code of [0, 1]) steps.push(step(`3/${code}`, error6(3, code, w32(0), inner)))
    steps.push(step("4/1", error6(4, 1, w32(6), inner)), step("4/2", error6(4, 2, w32(40), inner)))
    for (const mtu of [1280, 1281, 1400, 1499, 1500, 1501, 9000])
      steps.push(step(`MTU ${mtu}`, error6(2, 0, w32(mtu), inner)))
    const about = (what: string, of: Octets) => steps.push(step(what, error6(1, 0, w32(0), of)))
    about("about TCP", ip6({ ...seen6(), protocol: 6, trafficClass: 0xb8, hopLimit: 1 }, tcp(seen6())))
    about("about echo", ip6({ ...seen6(), protocol: 58 }, icmp6(seen6(), 128, 0, [0x40, 1, 0, 7], DATA)))
    about("about ESP", ip6({ ...seen6(), protocol: 50 }, DATA))
    about("about 8 octets of UDP", inner.subarray(0, 48))
    about("about half of it", came6(some(900)).subarray(0, 400))
    about("about options", ip6({ ...seen6(), protocol: 17, extensions: [[60, [1, 4, 0, 0, 0, 0]]] }, udp(seen6())))
    about("with nothing but a header", inner.subarray(0, 40))
    about("about an error", error6(1, 0, w32(0), inner, { source: PEER6, destination: HOST6 }))
    const of = { source: INNER6, destination: PEER6 }
    steps.push(
      step("neighbour solicitation", six(58, icmp6(out(), 135, 0, w32(0), some(16)))),
      step("with a wrong checksum", ip6({ ...of, protocol: 58 }, icmp6(of, 1, 0, w32(0), inner, 7))),
      step("from the host itself", error6(1, 4, w32(0), inner, out())),
    )
    compare(steps, { carries: STATELESS })
  })

  test("NAT-7915-4.4, NAT-7915-5.4: the translators' own errors", () => {
    const steps = [
      step("the last hop", u4(DATA, { ttl: 1 })),
      step("the last hop", u6(DATA, { hopLimit: 1 })),
      step("the last hop of an echo", four(1, icmp4(8, 0, [0, 1, 0, 1], DATA), { ttl: 1 })),
      step("the last hop of an echo", six(58, icmp6(out(), 128, 0, [0, 1, 0, 1], DATA), { hopLimit: 1 })),
      step("the last hop of much", u4(some(1000), { ttl: 1 })),
      step("the last hop of much", u6(some(1400), { hopLimit: 1 })),
      step(
        "the last hop of an error",
        ip4({ source: HOP4, destination: HOST4, protocol: 1, ttl: 1 }, icmp4(3, 1, w32(0), sent4())),
      ),
      step("to nowhere", u6(DATA, { destination: "2001:db8:99::1" })),
      step("too long, with DF", u4(some(1470), { flags: 2 })),
    ]
    compare(steps, { carries: STATELESS, differences: [OWN_ERRORS] })
  })

  test("where tayga keeps to another text, or leaves out", () => {
    const inner = sent4()
    const cut = (offset: number, more: boolean) =>
      ip4(
        { ...seen4(), protocol: 17, flags: more ? 1 : 0, offset },
        udp(seen4(), some(120)).subarray(8 * offset, 8 * offset + 64),
      )
    const POINTER = "tayga translates no pointers: RFC 7915 figures 3 and 6 do"
    const steps = [
      step("4/0", error6(4, 0, w32(0), came6()), POINTER),
      step("12/0", error4(12, 0, w32(0), inner), POINTER),
      step(
        "1/3",
        error6(1, 3, w32(0), came6()),
        "tayga drops address unreachable: RFC 7915 section 5.2 has host unreachable",
      ),
      step(
        "no MTU",
        error4(3, 4, w32(0), sent4(some(1472))),
        "tayga adds 20 to a plateau: RFC 7915 section 4.2 takes it as it is",
      ),
      step(
        "about a reply",
        error4(3, 1, w32(0), ip4({ ...seen4(), protocol: 1 }, icmp4(0, 0, w32(1), DATA))),
        "tayga drops it",
      ),
      step(
        "about 8 octets of TCP",
        error4(3, 1, w32(0), ip4({ ...seen4(), protocol: 6 }, tcp(seen4())).subarray(0, 28)),
        "tayga wants 20",
      ),
      step(
        "about UDP without checksum",
        error4(3, 1, w32(0), ip4({ ...seen4(), protocol: 17 }, udp(seen4(), DATA, 0))),
        "tayga drops it",
      ),
      step(
        "about a fragment",
        error4(11, 1, w32(0), cut(0, true)),
        "tayga leaves out its Fragment header (RFC 7915 section 4.3)",
      ),
      step("about a later fragment", error4(11, 1, w32(0), cut(8, false)), "the same"),
      step(
        "about much",
        error6(3, 0, w32(0), came6(some(1000))),
        "tayga sends 576 octets at most, as an IPv4 router does (RFC 1812)",
      ),
      step(
        "with extensions",
        error4(3, 1, [0, 32, 0, 0], octets(inner, new Uint8Array(128 - inner.length), [0x20, 0, 0, 0])),
        "tayga drops them (RFC 7915 section 4.3, RFC 4884)",
      ),
      step(
        "a source route",
        u4(DATA, { options: [131, 7, 4, 192, 0, 2, 1, 0] }),
        "tayga does not look: RFC 7915 section 4.1 wants 3/5",
      ),
      step(
        "segments left",
        u6(DATA, { extensions: [[43, [0, 1, 0, 0, 0, 0]]] }),
        "tayga does not look: RFC 7915 section 5.1 wants 4/0",
      ),
      step(
        "ICMPv6 over IPv4",
        four(58, icmp6(out(), 128, 0, w32(1), DATA)),
        "tayga passes it on as if it had been translated",
      ),
      step(
        "unknown source",
        u6(DATA, { source: "2001:db8:99::1" }),
        "tayga sends 1/5: RFC 7915 section 5.1 drops silently",
      ),
      step(
        "zero length TCP header",
        four(
          6,
          tcp(back()).map((octet, i) => (i === 12 ? 0 : octet)),
        ),
        "tayga does not look",
      ),
    ]
    compare(steps, { carries: STATELESS })
  })
})
