import type { Address } from "../../wire/index.ts"
import type { Mac } from "../mac.ts"
import type { OverlayParsed } from "../parsed.ts"

/** A record's UUID: its 16 octets as 32 lower-case hex digits. */
export type Uuid = string

/** `SVP_LOG_VL2`, 32 octets: type 4 | uuid 16 | mac 6 | pad 2 | vnetid 4. Where the MAC lives has changed. */
export interface SvpVl2Record {
  readonly kind: "vl2"
  /** By which it is removed from the log. */
  readonly uuid: Uuid
  /** What moved. */
  readonly mac: Mac
  /** 16 bits, 0. */
  readonly pad: number
  /** In which overlay. */
  readonly vnetid: number
}

/** `SVP_LOG_VL3`, 44 octets: type 4 | uuid 16 | ip 16 | pad 2 | vlan 2 | vnetid 4. Which MAC has the address has changed. */
export interface SvpVl3Record {
  readonly kind: "vl3"
  /** By which it is removed from the log. */
  readonly uuid: Uuid
  /** The overlay address that moved. */
  readonly address: Address
  /** 16 bits, 0. */
  readonly pad: number
  /** The VLAN to tell it in; 0 for none. */
  readonly vlan: number
  /** In which overlay. */
  readonly vnetid: number
}

/** Of version 2, 72 octets: type | uuid | two vnetids | dcid | two addresses | two VLANs | two prefixes | pad 2. */
export interface SvpRouteRecord {
  readonly kind: "route"
  /** By which it is removed from the log. */
  readonly uuid: Uuid
  /** From which overlay. */
  readonly sourceVnetid: number
  /** To which overlay. */
  readonly destinationVnetid: number
  /** The data centre, 32 bits. */
  readonly dcid: number
  /** The source network. */
  readonly source: Address
  /** The destination network. */
  readonly destination: Address
  /** 16 bits. */
  readonly destinationVlan: number
  /** 16 bits. */
  readonly sourceVlan: number
  /** Length of the source's prefix. */
  readonly sourcePrefix: number
  /** Length of the destination's prefix. */
  readonly destinationPrefix: number
  /** 16 bits, 0. */
  readonly pad: number
}

/** One record of a server's log. */
export type SvpLogRecord = SvpVl2Record | SvpVl3Record | SvpRouteRecord

/** What a message says, by its operation. Ports are 16 bits, addresses 16 octets with IPv4 mapped, statuses those of `SvpStatus`. */
export type SvpBody =
  /** Nothing: is anybody there, and the answer. */
  | { readonly kind: "ping" }
  | { readonly kind: "pong" }
  /** Where does a MAC of an overlay live? 12 octets: mac 6 | pad 2 | vnetid 4; a shootdown has the same and no answer. */
  | { readonly kind: "vl2-request"; readonly mac: Mac; readonly pad: number; readonly vnetid: number }
  | { readonly kind: "shootdown"; readonly mac: Mac; readonly pad: number; readonly vnetid: number }
  /** 20 octets: status 2 | port 2 | address 16. */
  | { readonly kind: "vl2-ack"; readonly status: number; readonly port: number; readonly address: Address }
  /** Which MAC has an address, and where does it live? 24 octets: address 16 | type 4 | vnetid 4. */
  | { readonly kind: "vl3-request"; readonly address: Address; readonly type: number; readonly vnetid: number }
  /** 28 octets: status 4 | mac 6 | port 2 | address 16. */
  | {
      readonly kind: "vl3-ack"
      readonly status: number
      readonly mac: Mac
      readonly port: number
      readonly address: Address
    }
  /** Type 1 for VL2, 2 for VL3; nobody answers with data. */
  | { readonly kind: "bulk-request"; readonly type: number }
  | { readonly kind: "bulk-ack"; readonly status: number; readonly type: number; readonly data: Uint8Array }
  /** What changed for an underlay address? 20 octets: most octets of the answer 4 | address 16. */
  | { readonly kind: "log-request"; readonly count: number; readonly address: Address }
  /** Status 4 and records; `rest`: octets from the first record on that is none. */
  | {
      readonly kind: "log-ack"
      readonly status: number
      readonly records: readonly SvpLogRecord[]
      readonly rest: Uint8Array
    }
  /** Forget records: count 4 | uuids, 16 each. */
  | { readonly kind: "log-remove"; readonly uuids: readonly Uuid[] }
  | { readonly kind: "log-remove-ack"; readonly status: number }
  /** Version 2, 40 octets: vnetid 4 | vlan 2 | pad 2 | source 16 | destination 16. */
  | {
      readonly kind: "route-request"
      readonly vnetid: number
      readonly vlan: number
      readonly pad: number
      readonly source: Address
      readonly destination: Address
    }
  /** Version 2, 48 octets: status | dcid | vnetid | vlan 2 | port 2 | address 16 | two MACs | two prefixes | pad 2. */
  | {
      readonly kind: "route-ack"
      readonly status: number
      readonly dcid: number
      readonly vnetid: number
      readonly vlan: number
      readonly port: number
      readonly address: Address
      readonly sourceMac: Mac
      readonly destinationMac: Mac
      readonly sourcePrefix: number
      readonly destinationPrefix: number
      readonly pad: number
    }
  /** Another operation. */
  | { readonly kind: "other"; readonly op: number; readonly data: Uint8Array }

/** A message: version 2 | operation 2 | size of what follows 4 | id 4 | CRC-32 4, and its body. */
export interface SvpMessage {
  /** 1 or 2. */
  readonly version: number
  /** 32 bits, of the client's choice: the answer has it again. Its order of octets is nobody's business; here they are big-endian. */
  readonly id: number
  /** What it says. */
  readonly body: SvpBody
}

/** A message, or why the octets are none. */
export type ParsedSvp = OverlayParsed<SvpMessage>
