/** A DNS server of Debian, knot, for one zone whose names anybody may update. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"

/** What it has said when it answers. */
export const KNOT_READY = /loaded, serial[\s\S]*server started|server started[\s\S]*loaded, serial/

/** Writes its files into a folder; the path of its configuration. `listen` is `address@port`. */
export const knotFiles = (folder: string, listen: string, zone: string): string => {
  const [address] = listen.split("@")
  writeFileSync(
    join(folder, "zone"),
    `${zone}. 60 SOA ns.${zone}. admin.${zone}. 1 60 60 60 60\n${zone}. 60 NS ns.${zone}.\nns.${zone}. 60 A ${address}\n`,
  )
  const path = join(folder, "knot.conf")
  writeFileSync(
    path,
    `server:
    rundir: ${folder}
    listen: ${listen}
database:
    storage: ${folder}
log:
  - target: stderr
    any: info
acl:
  - id: all
    address: 0.0.0.0/0
    action: update
zone:
  - domain: ${zone}
    storage: ${folder}
    file: zone
    zonefile-sync: -1
    journal-content: none
    acl: all
`,
  )
  return path
}
