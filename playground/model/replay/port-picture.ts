import type { Mapping } from "../../../core/cgn/index.ts"
import type { Address } from "../../../core/wire/index.ts"

/** External ports of one address, 256 by 256: whose each is. */
export interface PortPicture {
  readonly external: Address
  /** 65536 cells by port: 0 free, n the owner `owners[n - 1]`, 255 one of the others. */
  readonly cells: Uint8Array
  /** Internal addresses in the order of their first port; 254 of them at most. */
  readonly owners: readonly Address[]
  readonly used: number
}

const OTHERS = 255
const PORTS = 65536

/** The external addresses that mappings have, by how many. */
export const externalAddresses = (mappings: readonly Mapping[]): readonly Address[] => {
  const counts = new Map<Address, number>()
  for (const { external } of mappings) counts.set(external, (counts.get(external) ?? 0) + 1)
  return [...counts].sort(([, one], [, other]) => other - one).map(([external]) => external)
}

/** Which ports of an external address are in use, of one protocol or, left out, of any. A mapping of all ports has them all. */
export const drawPorts = (mappings: readonly Mapping[], external: Address, protocol?: number): PortPicture => {
  const cells = new Uint8Array(PORTS)
  const owners: Address[] = []
  const numbers = new Map<Address, number>()
  const own = mappings
    .filter(
      (one) => one.external === external && (protocol === undefined || one.protocol === protocol || one.protocol === 0),
    )
    .sort((one, other) => one.externalPort - other.externalPort)
  let used = 0
  for (const { internal, externalPort } of own) {
    let number = numbers.get(internal)
    if (number === undefined) {
      number = Math.min(owners.length + 1, OTHERS)
      numbers.set(internal, number)
      if (number < OTHERS) owners.push(internal)
    }
    // Port 0 stands for all ports: those that are somebody's own stay so.
    const [first, last] = externalPort === 0 ? [0, PORTS - 1] : [externalPort, externalPort]
    for (let port = first; port <= last; port++) {
      if (cells[port] === 0) used++
      if (cells[port] === 0 || externalPort !== 0) cells[port] = number
    }
  }
  return { external, cells, owners, used }
}
