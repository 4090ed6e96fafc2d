import { readFileSync } from "node:fs"

/** linux/capability.h: the bit of CAP_NET_ADMIN. */
const NET_ADMIN = 12n

/**
 * Has this process the capability that nftables asks for? `undefined`: the system does not say. In a network namespace of somebody
 * else's it may have it and be refused all the same.
 */
export const hasNetAdmin = (status = "/proc/self/status"): boolean | undefined => {
  let text: string
  try {
    text = readFileSync(status, "utf8")
  } catch {
    return undefined
  }
  const [, effective] = /^CapEff:\s*([0-9a-f]+)$/m.exec(text) ?? []
  return effective === undefined ? undefined : ((BigInt(`0x${effective}`) >> NET_ADMIN) & 1n) === 1n
}
