import {
  type Cgn,
  type CgnProfile,
  createFirewall,
  createNpt,
  type FirewallState,
  firewallCgn,
  nptCgn,
  PROFILES,
  pinholeCount,
} from "../../core/cgn/index.ts"
import { advance, createServerOver, process } from "../../core/server/index.ts"
import { address, judge, SERVER_LIFE, sendAs, type Target } from "./target.ts"

const SOURCES = ["2001:db8:1::1", "2001:db8:1::2", "2001:db8:1:1::1", "10.0.0.1", "10.0.0.2", "::", "ff02::1"].map(
  address,
)

/** A server's life on one device; `end` says what is wrong with what is left of it. */
interface Life {
  readonly take: Target
  readonly end: () => string | undefined
}

const begin = <S>(cgn: Cgn<S>, first: S, profile: CgnProfile, left: (state: S) => number): Life => {
  const made = createServerOver(cgn, first, 0, { profile: { ...profile, thirdParty: true }, threatModel: "advanced" })
  if (!made.ok) throw new Error(made.error.text)
  let { state } = made
  let now = 0
  return {
    take: (bytes, index) => {
      now += index % 997 === 0 ? 100_000 : index % 7
      if (index % 1009 === 0) state = advance(state, now)[0]
      const source = SOURCES[(index >> 3) % SOURCES.length]
      if (index % 16 !== 0) sendAs(source, bytes)
      const [next, response] = process(state, { bytes, now, source, sourcePort: index & 65535 })
      state = next
      return judge(bytes, response)
    },
    end: () => {
      for (let round = 0; round < 100; round++) state = advance(state, now + 90_000_000)[0]
      const count = left(state.cgnState)
      return count === 0 ? undefined : `${count} mappings never end`
    },
  }
}

const beginFirewall = (life: number): Life => {
  const family = life % 3 === 1 ? "ipv6" : "ipv4"
  const quota = life % 2 === 0 ? 12 : 100
  const made = createFirewall({ family, quota, filterLimit: 3, secret: new Uint8Array(32).fill(life), now: 0 })
  if (!made.ok) throw new Error(made.error.text)
  const left = (state: FirewallState): number => pinholeCount(state)
  return begin(firewallCgn, made.state, PROFILES[family === "ipv6" ? "firewall6" : "firewall4"], left)
}

const beginNpt = (): Life => {
  const pair = (internal: string, external: string, prefixLength: number) => ({
    internal: { address: address(internal), prefixLength },
    external: { address: address(external), prefixLength },
  })
  const made = createNpt({
    pairs: [pair("2001:db8:1::", "2001:db8:a:b::", 64), pair("2001:db8:1:1::", "2001:db8:c::", 64)],
  })
  if (!made.ok) throw new Error(made.error.text)
  return begin(nptCgn, made.state, PROFILES.nptv6, () => 0)
}

/** `process` over the devices that do not share addresses: NPTv6, an IPv6 and an IPv4 firewall, one after the other. */
export const deviceTarget = (): Target => {
  let life: Life | undefined
  return (bytes, index) => {
    if (life === undefined || index % SERVER_LIFE === 0) {
      const wrong = life?.end()
      if (wrong !== undefined) return wrong
      const number = Math.floor(index / SERVER_LIFE)
      life = number % 3 === 0 ? beginNpt() : beginFirewall(number)
    }
    return life.take(bytes, index)
  }
}
