import { done, failed, type Outcome } from "../failure.ts"
import { parseMac } from "../mac.ts"
import { entryOf, isObject, parseJson } from "../plugin/files-table.ts"
import type { SvpHost } from "./hosts.ts"
import { checkSvpHost } from "./server.ts"

/**
 * Reads the hosts of an SVP server: an object of vnetids, each with an object as the plugin `files` has it, whose entries may have a number
 * `vlan` besides. EPROTO: no JSON; EINVAL: every fault there is, one a line.
 */
export const readSvpHosts = (text: string): Outcome<readonly SvpHost[]> => {
  const root = parseJson(text)
  if (!root.ok) return root
  if (!isObject(root.value)) return failed("EINVAL", "the file is no object")
  const hosts: SvpHost[] = []
  const faults: string[] = []
  for (const [key, overlay] of Object.entries(root.value)) {
    if (!/^\d{1,8}$/.test(key)) faults.push(`${JSON.stringify(key)} is no vnetid`)
    else if (!isObject(overlay)) faults.push(`vnetid ${key} has no object`)
    else
      for (const [name, entry] of Object.entries(overlay)) {
        const host = hostOf(Number(key), name, entry)
        if (host.ok) hosts.push(host.value)
        else faults.push(`vnetid ${key}, ${JSON.stringify(name)}: ${host.text}`)
      }
  }
  return faults.length === 0 ? done(hosts) : failed("EINVAL", faults.join("\n"))
}

const hostOf = (vnetid: number, name: string, entry: unknown): Outcome<SvpHost> => {
  const mac = parseMac(name)
  if (mac === undefined) return failed("EINVAL", "no MAC")
  if (!isObject(entry)) return failed("EINVAL", "no object")
  const { target, arp, ndp } = entryOf(entry)
  if (target === undefined) return failed("EINVAL", "ip and port are an address and a number of 1 to 65535")
  if (entry.arp !== undefined && arp === undefined) return failed("EINVAL", "arp is an IPv4 address")
  if (entry.ndp !== undefined && ndp === undefined) return failed("EINVAL", "ndp is an IPv6 address")
  const { vlan = 0 } = entry
  if (typeof vlan !== "number") return failed("EINVAL", "vlan is a number")
  return checkSvpHost({ vnetid, mac, target, arp, ndp, vlan })
}
