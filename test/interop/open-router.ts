/** A router whose firewall lets in nothing but what miniupnpd has opened, by PCP and NAT-PMP. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Namespace, Running } from "./namespace.ts"

/** What miniupnpd is started with. */
export const MINIUPNPD_CONFIG: string = readFileSync(new URL("miniupnpd.conf", import.meta.url), "utf8")

/** The chains that miniupnpd fills, in a firewall that lets in nothing but what they say. */
const RULES = `
table inet filter
delete table inet filter
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "inside" accept
    jump miniupnpd
  }
  chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd; }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept
    jump postrouting_miniupnpd
    oifname "outside" masquerade
  }
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}`

/** Makes it of a namespace with the interfaces `inside` and `outside`; its files are in the folder. */
export const openRouter = async (
  router: Namespace,
  folder: string,
  config: string = MINIUPNPD_CONFIG,
): Promise<Running> => {
  router.sh(`nft -f - <<'END'\n${RULES}\nEND`)
  const path = join(folder, "miniupnpd.conf")
  writeFileSync(path, config)
  // -d: stays in front, and says what it does.
  const started = router.start(["miniupnpd", "-d", "-f", path, "-P", join(folder, "miniupnpd.pid")])
  await started.until(/NAT-PMP|PCP.*listening|listening on port 5351/)
  return started
}
