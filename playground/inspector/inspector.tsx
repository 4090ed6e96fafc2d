import { useComputed } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { hasRoom } from "../shell/has-room.ts"
import { lazy } from "../shell/lazy.tsx"
import type { PageState } from "../shell/page-state.ts"
import { BytesView } from "./bytes-view.tsx"
import { DiagramView } from "./diagram-view.tsx"
import { FieldDetails } from "./field-details.tsx"
import { FindingsView } from "./findings-view.tsx"
import { Legend } from "./legend.tsx"
import { ToolBar } from "./tool-bar.tsx"
import { TreeView } from "./tree-view.tsx"

const PacketList = lazy(async () => (await import("../packets/packet-list.tsx")).PacketList)

/** What is this packet? Octets, diagram, tree and findings of it, each showing what is chosen in the others. */
export const Inspector = ({ page }: { readonly page: PageState }) => {
  const { bench } = page
  useEffect(
    () =>
      bench.selected.subscribe((id) => {
        // Where panes scroll by themselves, each shows what is chosen in another.
        if (!matchMedia("(min-width: 1100px)").matches) return
        requestAnimationFrame(() => {
          for (const view of [".tree", ".diagram"])
            document.querySelector(`${view} [data-field="${id}"]`)?.scrollIntoView({ block: "nearest" })
        })
      }),
    [bench],
  )
  const hasList = useComputed(() => bench.work.value.opened.packets.length > 1)
  return (
    <main class={hasList.value ? "inspector with-list" : "inspector"}>
      {hasList.value && <PacketList page={page} />}
      <div class="middle">
        <ToolBar page={page} />
        <BytesView bench={bench} />
        <section class="pane diagram-pane" aria-label="Diagram">
          <details open={hasRoom()}>
            <summary>
              <h2>diagram</h2>
            </summary>
            <DiagramView bench={bench} />
            <Legend />
          </details>
        </section>
      </div>
      <div class="right">
        <section class="pane fields" aria-labelledby="tree-title">
          <h2 id="tree-title">{bench.inspection.value.title}</h2>
          <TreeView bench={bench} />
        </section>
        <FindingsView bench={bench} />
        <FieldDetails bench={bench} />
      </div>
    </main>
  )
}
