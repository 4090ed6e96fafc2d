/** What the reference's sections B1 to B11 say, one row each, and the test that shows it, by its name: a row without a test fails. */
import assert from "node:assert/strict"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import {
  Destination,
  DOOR_COMMANDS,
  LARGEST_FRAME,
  LISTING_LIMIT,
  MAX_VNETID,
  PLUGIN_VERSION,
  PropertyLimit,
  SVP_HEADER,
  SVP_PORT,
  SvpLogType,
  SvpOp,
  SvpStatus,
  VXLAN_HEADER,
  VXLAN_PORT,
  WALK_LIMIT,
} from "../../../core/overlay/index.ts"

const ROWS: readonly (readonly [row: string, name: RegExp])[] = [
  ["B1 destinations, limits, operations, statuses", /^B1: numbers and limits$/],
  ["B1 strings are cut at 255 octets", /a text has 255 octets at most/],
  ["B1 ITER: 0 EINVAL, more than 500 E2BIG; varpd's walk 200", /cache: set, read, walked|has 500 entries at most/],
  ["B2 register: EEXIST, EINVAL", /^EEXIST: the first of a name stays; EINVAL: another version$/],
  ["B2 the wrong mix of operations", /^the wrong mix of mode and operations is refused/],
  ["B2 create: ENOENT, ids, link", /^create: ENOENT for an unknown plugin, EEXIST for a link/],
  ["B2 activate: EEXIST, start's error, kept", /^activate: EEXIST when it is/],
  ["B2 destroy; quirk: never activated", /^destroy stops the plugin.*quirk/],
  ["B2 nothing before start or after stop; unknown id drops", /^no lookup before the start or after the end/],
  ["B2 answering twice (panic)", /^now or later, once: a second answer is a fault/],
  ["B2 a proxy without its operation (panic)", /^a proxy without its operation is ENOTSUP/],
  ["B2 property 0 search, EPERM", /^property 0 is search/],
  ["B2 unknown and empty names", /^errors: an unknown name EINVAL, of info ENOENT, no name EINVAL/],
  ["B2 default E2BIG; 256 octets of ranges; mixing ignored", /^a default has 256 octets at most \(E2BIG\)/],
  ["B2 quirk: door getprop always says 0", /^properties by number and by name; quirk: getprop says what fails/],
  ["B3 direct/dest_ip", /^direct\/dest_ip: IP, RRW/],
  ["B3 direct/dest_port", /^direct\/dest_port: UINT, RRW/],
  ["B3 files/config", /^B3: files\/config: STRING, RRW/],
  ["B3 svp/host, svp/port, svp/underlay_port", /^four, in order, with their defaults: port 1296, underlay_port 1339$/],
  ["B3 svp ports: range", /^both ports: EOVERFLOW under 8 octets/],
  ["B3 svp/underlay_ip; quirk: inverted size", /^svp\/underlay_ip: EOVERFLOW under 16 octets.*quirk/],
  ["B3 vxlan/listen_ip", /^vxlan\/listen_ip: size other than 16/],
  ["B3 vxlan/listen_port", /^vxlan\/listen_port: 4789/],
  ["B3 mtu; quirk: the manual's 9000", /^mtu: 1400, 576 to 8900 \(not the manual's 9000\)/],
  ["B3 vnetid; quirk: 16777215", /^vnetid: 0 to 16777215.*quirk/],
  ["B3 encap, varpd/id, search: EPERM", /^encap, varpd\/id and search: EPERM/],
  ["B3 rows of a device", /^their rows: type, protection, default, range$/],
  ["B3 EOVERFLOW, EINVAL, ENOTSUP of a device", /^an unknown name EINVAL, too little room EOVERFLOW, no device ENOENT/],
  ["B3 in its manner: portmap", /^seven, in order, with types, defaults and ranges/],
  ["B4 dest: ENOTSUP", /^serves IP, PORT or both: ENOTSUP/],
  ["B4 nprops", /^one property for each bit$/],
  ["B4 start: EAGAIN; quirk: IP bit", /^EAGAIN until all that it needs is set; quirk/],
  ["B4 save and restore; quirk: flags", /^kept and restored; quirk: that the address is set/],
  ["B4 ASSOCIATE", /^B4: ASSOCIATE refuses number 0/],
  ["B4 ASSOCIATE of the cache", /^B4: ASSOCIATE: EEXIST/],
  ["B5 start's errors", /^the start: EAGAIN without a path, ENOENT/],
  ["B5 the manual's sample", /^the sample of the manual/],
  ["B5 MACs normalised, last wins", /^MACs are one whatever their zeros and case/],
  ["B5 quirk: \\u is decimal", /^quirk: an escape is hexadecimal/],
  ["B5 lookup order: ARP", /^ARP: the MAC of an arp address answers/],
  ["B5 lookup order: NDP", /^an IPv6 frame to a multicast MAC is for the NDP proxy/],
  ["B5 lookup order: DHCP", /^DHCP: the broadcast of a host with a dhcp-proxy/],
  ["B5 port and ip wrong: DROP", /^a target that is missing or wrong is a drop/],
  ["B5 arp: first in order", /^of two hosts with one overlay address the first answers/],
  ["B5 destination", /^a destination that is not IP or PORT: ENOTSUP at create, EINVAL at restore$/],
  ["B5 save; quirk: counters", /^kept: the path and two counters.*quirk/],
  ["B5 quirk: read at the start alone", /^a file that changes is read again/],
  ["B6 dest, EAGAIN", /^ENOTSUP for a destination other than IP and PORT; EAGAIN/],
  ["B6 vnetid unique in a remote", /^a vnetid is of one instance for each backend/],
  ["B6 save, restore", /^kept and restored; a key that is not there is not set/],
  ["B6 lookup", /^a unicast is asked for by VL2_REQ/],
  ["B6 lookup: groups", /^33:33 is for the NDP proxy, or dropped/],
  ["B6 arp: inject_varp first", /^ARP is asked for by VL3_REQ; first the cache/],
  ["B6 golden vectors", /^B6: the golden vectors of SVP$/],
  ["B6 CRC", /^the CRC is zlib's/],
  ["B6 sizes", /^fixed sizes are exact/],
  ["B6 records", /^a log: records of 32, 44 and 72 octets/],
  ["B6 v2 routes", /^ROUTE_REQ and ROUTE_ACK are version 2's/],
  ["B6 v2 PING at connect", /^PING at the connect: a client of version 2/],
  ["B6 ids", /^ids end at 2\^31 - 1/],
  ["B6 quirk: VL2_ACK status", /^a unicast is asked for by VL2_REQ.*another status drops$/],
  ["B6 response checks", /^what is no answer resets the connection$/],
  ["B6 one connection an address, 30 s", /^the name is resolved at once and every 30 s/],
  ["B6 back-off, degraded", /^back-off: 1, 2, 4, 8, 16, 32/],
  ["B6 all connections degraded", /^degraded is the backend only when all/],
  ["B6 severity", /^a name without addresses degrades, more severely/],
  ["B6 WINDDOWN", /^an address that is gone: an active connection winds down/],
  ["B6 round robin, FATAL", /^they go round the active connections/],
  ["B6 query timeout", /^after 30 s without an answer/],
  ["B6 log loop: VL2", /^VL2 is a shootdown; 1 s later/],
  ["B6 log loop: VL3", /^VL3 asks where the address is now/],
  ["B6 log loop: v6 ignored", /^an IPv6 address is told to nobody$/],
  ["B6 log loop: a bad batch", /^an empty log, and one with a bad record/],
  ["B6 log loop: failed LOG_RM", /^a removal that fails is warned of/],
  ["B6 server: NOTFOUND has zeros", /^NOTFOUND has zero addresses and ports/],
  ["B6 server: errors FATAL, LOG_RM's length", /^a question of a wrong size has FATAL/],
  ["B6 server: bad CRC", /^a wrong CRC, another version, too many octets/],
  ["B6 server: unsupported operations ignored, bulk", /^BULK_REQ is BADBULK/],
  ["B6 server: BADL3TYPE", /BADL3TYPE$/],
  ["B6 server: a log is cut at count", /^an answer has no more octets than are asked for/],
  ["B7 proxy_arp", /^the answer in place: the ends changed/],
  ["B7 proxy_arp: tag kept", /^a VLAN tag is kept$/],
  ["B7 the original is always dropped", /dropped in every case$/],
  ["B7 proxy_ndp", /^an advertisement, Solicited and Override/],
  ["B7 proxy_ndp: quirk", /^quirk: type and code both have to be right/],
  ["B7 proxy_dhcp", /^the broadcast goes to the server's MAC/],
  ["B7 proxy_dhcp: quirk", /^quirk: IP version and protocol both/],
  ["B7 inject_arp", /^42 octets, a request with both addresses/],
  ["B7 inject_varp", /^inject_varp and inject_arp$/],
  ["B8 point mode", /^point mode: the same answer for all$/],
  ["B8 miss, pending, respond", /^a miss waits and is looked up once/],
  ["B8 128 KiB", /^at most 128 KiB wait for one MAC/],
  ["B8 quirk: drop", /^quirk: a drop releases all that waits/],
  ["B8 DROP wins", /^a drop entry drops; DROP wins/],
  ["B8 no expiry, remove, flush", /^injection and invalidation: set, remove and flush/],
  ["B8 ENOENT, ENXIO, ENOTSUP", /^ENXIO without a plugin; ENOTSUP for set/],
  ["B8 ITER in order", /^a listing is in the order of MACs/],
  ["B8 1518", /1518 are the most that a plugin may put in$/],
  ["B8 a handle that closes", /^a daemon that begins anew is asked again/],
  ["B8 VXLAN header", /^B8: vnetid 23 is 08000000 00001700$/],
  ["B8 decap EINVAL", /^B8: under 8 octets, or with I clear/],
  ["B8 reserved ignored", /^B8: reserved bits are ignored/],
  ["B8 unique vnetid EEXIST", /^EINVAL for another encapsulation; EEXIST/],
  ["B8 ACTIVATE", /^active: required properties first \(EINVAL\)/],
  ["B8 EBUSY", /^deleted only when it is not active: EBUSY$/],
  ["B9 file", /^octet by octet: .*version 1, MD5/],
  ["B9 byte order", /^the version is in the order of octets of who wrote it/],
  ["B9 bad files", /^what cannot be read says where and why/],
  ["B9 names", /^names: the number in decimal/],
  ["B9 all keys", /^all keys are required$/],
  ["B9 restore's mismatches", /^kept and restored: the plugin's state comes back; each mismatch/],
  ["B9 at every step; saved after activation", /^B9: at every step of any life, of every plugin/],
  ["B10 degraded, service", /^the first degraded instance degrades the service/],
  ["B10 link; quirk", /^quirk: of two degraded instances each has its link down/],
  ["B10 the door: EINVAL", /^1 to 14 by number; another is EINVAL$/],
  ["B10 the door: ENOENT", /an unknown one is ENOENT for each command$/],
  ["B10 the door: EPERM", /without the privilege EPERM/],
  ["B11 the script", /^B11: what the reference's own script makes/],
]

/** Names of all tests of this room, and of groups of them. */
const names = globSync("**/*.test.ts", { cwd: import.meta.dirname })
  .flatMap((path) => [
    ...readFileSync(join(import.meta.dirname, path), "utf8").matchAll(/\b(?:test|describe)\(\s*(["'`])(.*?)\1,/g),
  ])
  .map(([, , name]) => name.replaceAll("\\", ""))

test("each row of B1 to B11 has a test that shows it", () => {
  assert.ok(names.length > 200, `${names.length}`)
  assert.deepEqual(
    ROWS.filter(([, name]) => !names.some((one) => name.test(one))).map(([row]) => row),
    [],
  )
})

test("B1: numbers and limits", () => {
  assert.deepEqual(Destination, { ETHERNET: 1, IP: 2, PORT: 4 })
  assert.deepEqual(PropertyLimit, { NAME: 64, VALUE: 256, POSSIBLE: 256 })
  assert.deepEqual([PLUGIN_VERSION, LISTING_LIMIT, WALK_LIMIT, LARGEST_FRAME], [1, 500, 200, 1518])
  assert.deepEqual([VXLAN_HEADER, VXLAN_PORT, MAX_VNETID], [8, 4789, 16_777_215])
  assert.deepEqual([SVP_HEADER, SVP_PORT], [16, 1296])
  assert.deepEqual(Object.values(SvpOp), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  assert.deepEqual(SvpStatus, { OK: 0, FATAL: 1, NOTFOUND: 2, BADL3TYPE: 3, BADBULK: 4 })
  assert.deepEqual(SvpLogType, { VL2: 1, VL3: 2, ROUTE: 3 })
  assert.equal(DOOR_COMMANDS.length, 14)
})
