/**
 * The same packets through tayga, a stateless translator (RFC 6145, which RFC 7915 follows), and through this project's: the
 * stateless ones of both directions, and a stateful NAT64 whose one host has an external address of its own. The same must
 * come out, octet for octet, but for what {@link Difference}s and `otherwise` name with their reasons.
 */
import { describe, test } from "node:test"
import {
  DATA,
  dccp,
  fragmentHeader,
  icmp4,
  icmp6,
  ip4,
  ip6,
  type PortEnds,
  sctp,
  tcp,
  udp,
  udpLite,
  w16,
  w32,
} from "../core/cgn/packet/build.ts"
import { randomFrom, seedOf } from "../fuzz/random.ts"
import type { Difference, Step } from "./kernel-compare.ts"
import {
  back,
  compare,
  error4,
  error6,
  four,
  type Header6,
  isError4,
  mapped,
  OWN_ERRORS,
  out,
  ping4,
  ping6,
  STATELESS,
  seen4,
  seen6,
  six,
  skip,
  some,
  stateful,
  step,
  t4,
  t6,
  u4,
  u6,
} from "./tayga-compare.ts"

const OWN_SOURCE: Difference = {
  why: "a NAT64's error about a packet to an external address comes from there; DF and DSCP as in OWN_ERRORS",
  applies: ({ bytes }) => isError4(bytes),
  octets: [
    [1, 2],
    [6, 8],
    [10, 16],
    [32, 36],
    [38, 40],
  ],
}

describe("NAT64 and NAT46 beside tayga", { skip }, () => {
  test("NAT-7915-4.1, NAT-7915-5.1: UDP, TCP and echo, with every TOS, hop limit, and length", () => {
    const steps: Step[] = []
    for (const length of [0, 1, 2, 3, 18, 19, 500, 1000])
      steps.push(
        step(`UDP of ${length}`, u6(some(length))),
        step(`UDP of ${length}`, u4(some(length))),
        step(`TCP of ${length}`, t6(some(length))),
        step(`TCP of ${length}`, t4(some(length))),
        step(`echo of ${length}`, ping6(128, some(length))),
        step(`echo of ${length}`, ping4(8, some(length))),
        step(`reply of ${length}`, ping6(129, some(length))),
        step(`reply of ${length}`, ping4(0, some(length))),
      )
    for (let tos = 0; tos < 256; tos += 5)
      steps.push(step(`TOS ${tos}`, u4(DATA, { tos })), step(`class ${tos}`, u6(DATA, { trafficClass: tos })))
    for (const hops of [2, 3, 64, 128, 255])
      steps.push(step(`TTL ${hops}`, t4(DATA, 2, { ttl: hops })), step(`hops ${hops}`, t6(DATA, 2, { hopLimit: hops })))
    for (const flags of [0, 2]) steps.push(step(`flags ${flags}`, u4(DATA, { flags, id: 0xfffe })))
    steps.push(
      step("options", u4(DATA, { options: [1, 1, 1, 0] })),
      step("flow label", u6(DATA, { flowLabel: 0xabcde })),
    )
    compare(steps)
  })

  test("NAT-7915-5.1: extension headers are passed over", () => {
    const options = (n: number) => [n, [1, 4, 0, 0, 0, 0]] as const
    compare([
      step("hop-by-hop options", u6(DATA, { extensions: [options(0)] })),
      step("destination options", t6(DATA, 2, { extensions: [options(60)] })),
      step("a routing header that is used up", u6(DATA, { extensions: [[43, [0, 0, 0, 0, 0, 0]]] })),
      step("all three", u6(DATA, { extensions: [options(0), [43, [4, 0, 0, 0, 0, 0]], options(60)] })),
    ])
  })

  test("NAT-7915-4.5, NAT-7915-5.5: checksums: every sum that comes out, wrong ones that stay wrong, none", () => {
    const steps: Step[] = []
    // Data whose one word makes the sum in either family any value: those around zero, of which there are two.
    for (const ends of [out(), seen4()])
      for (const sum of [0, 1, 0xfffe, 0xffff]) {
        const plain = tcp(ends, [0, 0])
        const word = w16((((plain[16] << 8) | plain[17]) - sum + 0xffff) % 0xffff)
        steps.push(step(`TCP ${sum}`, t6(word, 0x18)), step(`UDP ${sum}`, u6(word)))
      }
    for (const ends of [back(), seen6()])
      for (const sum of [0, 1, 0xfffe, 0xffff]) {
        const plain = tcp(ends, [0, 0])
        const word = w16((((plain[16] << 8) | plain[17]) - sum + 0xffff) % 0xffff)
        steps.push(step(`TCP ${sum}`, t4(word, 0x18)), step(`UDP ${sum}`, u4(word)))
      }
    for (const wrong of [1, 0x1234, 0xfffe])
      steps.push(
        step("wrong UDP", six(17, udp(out(), DATA, wrong))),
        step("wrong UDP", four(17, udp(back(), DATA, wrong))),
        step("wrong TCP", six(6, tcp(out(), DATA, 0x10, wrong))),
        step("wrong TCP", four(6, tcp(back(), DATA, 0x10, wrong))),
        step("wrong echo", four(1, icmp4(8, 0, [0, 1, 0, 1], DATA, wrong)), "tayga drops it; the receiver is to judge"),
        step("wrong echo", six(58, icmp6(out(), 128, 0, [0, 1, 0, 1], DATA, wrong)), "the same"),
      )
    steps.push(step("UDP without", six(17, udp(out(), DATA, 0)), "tayga drops what RFC 6936 allows to tunnels"))
    compare(steps)
    compare([step("UDP without", four(17, udp(back(), DATA, 0)))], { carries: STATELESS })
  })

  test("protocols without ports of their own, and those whose checksum tayga does not know", () => {
    const UNKNOWN: Difference = {
      why: "tayga changes TCP's and UDP's checksum alone: RFC 7915 sections 4.5 and 5.5 name DCCP, and RFC 3828 has UDP's rules",
      applies: () => true,
      octets: [
        [26, 28],
        [46, 48],
      ],
    }
    compare([
      step("ESP", six(50, DATA)),
      step("ESP", four(50, DATA)),
      step("GRE", six(47, DATA)),
      step("GRE", four(47, DATA)),
      step("SCTP", six(132, sctp(5000, 53))),
      step("SCTP", four(132, sctp(53, 5000))),
      step("an unknown one", six(253, DATA)),
      step("an unknown one", four(253, DATA)),
    ])
    compare(
      [
        step("UDP-Lite", six(136, udpLite(out()))),
        step("UDP-Lite", four(136, udpLite(back()))),
        step("DCCP", six(33, dccp(out()))),
        step("DCCP", four(33, dccp(back()))),
      ],
      { differences: [UNKNOWN] },
    )
  })

  test("NAT-7915-4.1: lengths around 1280 and the MTU, with DF and without", () => {
    for (const mtu of [1280, 1400, 1500]) {
      const steps: Step[] = []
      // Total lengths.
      for (const length of [1240, 1252, 1259, 1260, 1261, 1279, 1280, 1281, mtu - 21, mtu - 20, mtu - 19, mtu])
        for (const flags of [0, 2])
          steps.push(step(`IPv4 of ${length}, flags ${flags}`, u4(some(length - 28), { flags })))
      for (const length of [1252, 1259, 1260, 1261, 1279, 1280, 1281, mtu - 1, mtu, mtu + 1])
        steps.push(step(`IPv6 of ${length}`, u6(some(length - 48))))
      compare(steps, { mtu, carries: STATELESS, differences: [OWN_ERRORS] })
      compare(steps, { mtu, carries: [stateful], differences: [OWN_SOURCE] })
    }
  })

  test("NAT-7915-4.1, NAT-7915-5.1: fragments, one by one", () => {
    const whole = (of: PortEnds) => udp(of, some(120))
    const steps: Step[] = []
    for (const flags of [0, 2])
      steps.push(
        step("first", four(17, whole(back()).subarray(0, 64), { flags: flags | 1, id: 0x8001 })),
        step("middle", four(17, whole(back()).subarray(64, 96), { flags: flags | 1, id: 0x8001, offset: 8 })),
        step("last", four(17, whole(back()).subarray(96), { flags, id: 0x8001, offset: 12 })),
      )
    const part = (offset: number, more: boolean, id: number): Header6 => ({
      extensions: [fragmentHeader(offset, more, id)],
    })
    steps.push(
      step("first", six(17, whole(out()).subarray(0, 64), part(0, true, 0x12345678))),
      step("middle", six(17, whole(out()).subarray(64, 96), part(8, true, 0x12345678))),
      step("last", six(17, whole(out()).subarray(96), part(12, false, 0x12345678))),
      step("all in one", six(17, whole(out()), part(0, false, 0x9abcdef0))),
      step(
        "behind options",
        six(17, whole(out()).subarray(0, 64), {
          extensions: [[60, [1, 4, 0, 0, 0, 0]], fragmentHeader(0, true, 7)],
        }),
      ),
    )
    // What the Fragment header makes too long is cut again.
    for (const data of [1224, 1232, 1240, 1400])
      steps.push(step(`first of ${data}`, four(17, udp(back(), some(2000)).subarray(0, data), { flags: 1 })))
    steps.push(
      step("of an echo", four(1, icmp4(8, 0, [0, 1, 0, 1], some(100)).subarray(0, 64), { flags: 1 })),
      step("of an echo", six(58, icmp6(out(), 128, 0, [0, 1, 0, 1], some(100)).subarray(0, 64), part(0, true, 1))),
      step(
        "too long, with DF",
        four(17, udp(back(), some(2000)).subarray(0, 1400), { flags: 3 }),
        "tayga cuts it: RFC 7915 section 4.1 allows that without DF alone",
      ),
    )
    compare(steps, { carries: STATELESS })
  })

  test("a stateful NAT64 that keeps ports: what its host begins, and what comes back", () => {
    const steps: Step[] = []
    const SYN = 2
    for (const port of [5000, 5002]) {
      const [there, here] = [out(port), back(port)]
      const said = { ...seen4(port) }
      steps.push(
        step("UDP", ip6({ ...there, protocol: 17 }, udp(there))),
        step("answer", ip4({ ...here, protocol: 17 }, udp(here))),
        step("SYN", ip6({ ...there, protocol: 6 }, tcp(there, [], SYN))),
        step("SYN-ACK", ip4({ ...here, protocol: 6 }, tcp(here, [], SYN | 16))),
        step("data", ip6({ ...there, protocol: 6 }, tcp(there, DATA))),
        step("an error", error4(11, 0, w32(0), ip4({ ...said, protocol: 17 }, udp(said)))),
        step("an error", error4(3, 4, w32(1300), ip4({ ...said, protocol: 6 }, tcp(said)))),
        step("an error", error6(1, 4, w32(0), ip6({ ...seen6(port), protocol: 17 }, udp(seen6(port))), there)),
      )
    }
    steps.push(step("echo", ping6(128)), step("reply", ping4(0)))
    compare(steps, { carries: [mapped] })
  })

  for (const own of [1, 2, 3]) {
    const seed = seedOf(own, process.env.SALLYPORT_SEED)
    test(`random packets, seed ${seed}`, () => {
      const random = randomFrom(seed)
      const steps = Array.from({ length: 500 }, (): Step => {
        const data = new Uint8Array(random.below(random.pick([40, 1400]))).map(() => random.below(256))
        const [isOut, kind] = [random.once(2), random.below(4)]
        const port = random.below(65536)
        const [class4, hops] = [random.below(256), 2 + random.below(254)]
        const [ends6, ends4] = [out(port), back(port)]
        const fit = (bytes: Uint8Array) => bytes.subarray(0, 1460)
        if (isOut) {
          const header = { ...ends6, trafficClass: class4, hopLimit: hops, flowLabel: random.below(1 << 20) }
          if (kind === 0) return step("UDP", ip6({ ...header, protocol: 17 }, udp(ends6, data)))
          if (kind === 1) return step("TCP", ip6({ ...header, protocol: 6 }, tcp(ends6, data, 16)))
          const rest = [...w16(port), 0, 1]
          if (kind === 2) return step("echo", ip6({ ...header, protocol: 58 }, icmp6(ends6, 128, 0, rest, data)))
          const extensions = [fragmentHeader(random.below(100), false, random.below(1 << 30))]
          return step("fragment", ip6({ ...header, protocol: 17, extensions }, fit(udp(ends6, data))))
        }
        const header = { ...ends4, tos: class4, ttl: hops, id: random.below(65536), flags: random.pick([0, 2]) }
        if (kind === 0) return step("UDP", ip4({ ...header, protocol: 17 }, udp(ends4, data)))
        if (kind === 1) return step("TCP", ip4({ ...header, protocol: 6 }, tcp(ends4, data, 16)))
        if (kind === 2) return step("echo", ip4({ ...header, protocol: 1 }, icmp4(8, 0, [...w16(port), 0, 1], data)))
        const offset = random.below(100)
        return step("fragment", ip4({ ...header, flags: 0, protocol: 17, offset }, fit(udp(ends4, data))))
      })
      compare(steps, { carries: STATELESS, differences: [OWN_ERRORS] })
    })
  }
})
