/** The B4 of a home network behind a DS-Lite AFTR (RFC 6333 section 5): a softwire for its IPv4 hosts, and a PCP client for them. */
import { addr, ip6 } from "../packet/build.ts"
import { Joiner } from "./fragments.ts"
import { Host } from "./host.ts"
import type { Network, Receive } from "./network.ts"

export class B4 {
  /** The B4 itself, with an IPv6 address. */
  readonly self: Host
  /** What leads to the AFTR, and to the IPv4 hosts. */
  out: Receive = () => {}
  lan: Receive = () => {}
  private readonly aftr: string
  private readonly joiner = new Joiner()

  constructor(network: Network, address: string, aftr: string) {
    this.self = new Host(network, address)
    this.self.out = (bytes) => this.out(bytes)
    this.aftr = aftr
  }

  /** From an IPv4 host. */
  readonly fromLan: Receive = (bytes) =>
    this.out(ip6({ source: this.self.address, destination: this.aftr, protocol: 4 }, bytes))

  /** From the AFTR: fragments of a softwire's packet are put together first (RFC 6333 section 6.3). */
  readonly receive: Receive = (bytes) => {
    const whole = this.joiner.join(bytes)
    if (whole === undefined) return
    const [source, destination] = [whole.subarray(8, 24).join(), whole.subarray(24, 40).join()]
    if (whole[6] !== 4) this.self.receive(whole)
    else if (source === addr(this.aftr).join() && destination === addr(this.self.address).join())
      this.lan(whole.subarray(40))
  }
}
