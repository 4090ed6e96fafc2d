import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { networkInterfaces } from "node:os"
import type { Udp, UdpErrorCode } from "../../adapters/udp.ts"
import { type Address, ANY4, ANY6, formatAddress } from "../../core/wire/index.ts"
import { address, bytes, inbox, opener, turn } from "./udp-suite.ts"

/** What a runtime's sockets did on {@link LINKS}. */
export interface LinkFacts {
  /** Whose multicast a member heard on f1, then on f0, by family. */
  readonly multicast: readonly (readonly string[])[]
  /** The zone that a socket bound to all addresses was told of a link-local source, and that one bound to a zone was. */
  readonly zones: readonly (string | undefined)[]
  /** Was a datagram heard that was sent to a zone by its index? */
  readonly byIndex: boolean
  /** What became of a datagram to a zone that is no interface, and of one to where no route leads. */
  readonly refused: readonly UdpErrorCode[]
  /** The address of a socket for a host on the first link. */
  readonly own: string
  /** Of 2000 datagrams to a neighbour not known yet, how many left once it was. */
  readonly left: number
}

/** Two wires in a namespace of their own, e0 to f0 and e1 to f1, on which a datagram may come from the machine itself. */
export const LINKS = `
for i in all default; do
  echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad
  echo 0 > /proc/sys/net/ipv4/conf/$i/rp_filter
  echo 1 > /proc/sys/net/ipv4/conf/$i/accept_local
done
ip link set lo up
for i in 0 1; do
  ip link add e$i type veth peer name f$i
  ip link set e$i up
  ip link set f$i up
  ip addr add 10.0.$i.1/24 dev e$i
  ip addr add 10.0.$i.2/32 dev f$i
  ip -6 addr add fd00:$i::1/64 dev e$i nodad
done
echo 16777216 > /proc/sys/net/ipv4/neigh/e0/unres_qlen_bytes
sleep 0.1
`

/** Does it all, within the namespace. */
export const linkFacts = async (udp: Udp): Promise<LinkFacts> => {
  const open = opener(udp)

  const multicast = async (any: Address, group: Address, senders: readonly string[]): Promise<string[][]> => {
    const box = inbox()
    const member = await open({ local: { address: any, port: 0 } }, box.receiver)
    const sockets = await Promise.all(
      senders.map((text) => open({ local: { address: address(text), port: 0 } }, inbox().receiver)),
    )
    const heard: string[][] = []
    for (const name of ["f1", "f0"]) {
      await member.joinMulticast(group, name)
      const before = box.heard.length
      for (const socket of sockets)
        socket.send(bytes(formatAddress(socket.local.address)), { address: group, port: member.local.port })
      await box.until(() => box.heard.length > before)
      await turn()
      heard.push(box.heard.slice(before).map(({ text }) => text))
      await member.leaveMulticast(group, name)
    }
    await Promise.all([member, ...sockets].map((socket) => socket.close()))
    return heard
  }

  /** From e1 to f1's link-local address, and back. */
  const linkLocal = async (): Promise<Pick<LinkFacts, "zones" | "byIndex">> => {
    const [atE1, atF1] = [ownLinkLocal("e1"), ownLinkLocal("f1")]
    const zones: (string | undefined)[] = []
    let wake = (): void => {}
    const receiver = {
      receive: (datagram: { readonly source: { readonly zone?: string | undefined } }) => {
        zones.push(datagram.source.zone)
        wake()
      },
      error: () => wake(),
    }
    const next = () =>
      new Promise<void>((resolve) => {
        wake = resolve
      })
    const bound = await open({ local: { address: atE1.address, port: 0, zone: "e1" } }, receiver)
    const any = await open({ local: { address: ANY6, port: 0 } }, receiver)
    let heard = next()
    bound.send(bytes("there"), { address: atF1.address, port: any.local.port, zone: "e1" })
    await heard
    heard = next()
    any.send(bytes("back"), { address: atE1.address, port: bound.local.port, zone: "f1" })
    await heard
    heard = next()
    bound.send(bytes("by index"), { address: atF1.address, port: any.local.port, zone: `${atE1.index}` })
    await heard
    await Promise.all([bound.close(), any.close()])
    return { zones: zones.slice(0, 2), byIndex: zones.length === 3 }
  }

  const refusal = async (any: Address, to: string, zone?: string): Promise<UdpErrorCode> => {
    const box = inbox()
    const socket = await open({ local: { address: any, port: 0 } }, box.receiver)
    socket.send(bytes("nowhere"), { address: address(to), port: 9, zone })
    await box.until(() => box.errors.length > 0)
    await socket.close()
    return box.errors[0].code
  }

  const ownAddress = async (): Promise<string> => {
    const remote = { address: address("10.0.1.77"), port: 5351 }
    const socket = await open({ local: { address: ANY4, port: 0 }, remote }, inbox().receiver)
    await socket.close()
    return formatAddress(socket.local.address)
  }

  /** More than the system's queue holds wait for the neighbour, and none of them is lost. */
  const backPressure = async (): Promise<number> => {
    const destination = { address: address("10.0.0.9"), port: 9 }
    const socket = await open({ local: { address: ANY4, port: 0 } }, inbox().receiver)
    // Of /proc/net/dev: a name and a colon, octets received, packets received.
    const arrived = (): number => Number(/f0:\s*\d+\s+(\d+)/.exec(readFileSync("/proc/net/dev", "utf8"))?.[1])
    const before = arrived()
    socket.sendMany(Array.from({ length: 2000 }, () => ({ bytes: new Uint8Array(60), destination })))
    await turn()
    execFileSync("ip", ["neigh", "replace", "10.0.0.9", "lladdr", "02:00:00:00:00:09", "dev", "e0"])
    for (let tries = 0; tries < 400 && arrived() - before < 2000; tries++) await turn()
    await socket.close()
    return Math.min(arrived() - before, 2000)
  }

  return {
    multicast: [
      ...(await multicast(ANY4, address("239.1.2.3"), ["10.0.0.1", "10.0.1.1"])),
      ...(await multicast(ANY6, address("ff02::1:4d4d"), ["fd00:0::1", "fd00:1::1"])),
    ],
    ...(await linkLocal()),
    refused: [await refusal(ANY6, "fe80::9", "no-such"), await refusal(ANY4, "203.0.113.9")],
    own: await ownAddress(),
    left: await backPressure(),
  }
}

const ownLinkLocal = (name: string): { readonly address: Address; readonly index: number } => {
  const entry = networkInterfaces()[name]?.find((one) => one.address.startsWith("fe80:"))
  if (entry === undefined) throw new Error(`${name} has no link-local address`)
  return { address: address(entry.address), index: entry.family === "IPv6" ? (entry.scopeid ?? 0) : 0 }
}
