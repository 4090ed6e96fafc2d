import { flipOctet } from "../model/edit/index.ts"
import { DialogButton } from "../shell/dialog-button.tsx"
import type { PageState } from "../shell/page-state.ts"
import { ExportMenu } from "./export-menu.tsx"

/** From 0 up to 1: the page may be random, the model may not. */
const random = (): number => crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32

/** What can be done with the packet. */
export const ToolBar = ({ page }: { readonly page: PageState }) => {
  const { bench } = page
  return (
    <div class="tool-bar" role="toolbar" aria-label="Packet">
      <button type="button" title="Ctrl-Z" disabled={!bench.canUndo.value} onClick={bench.undo}>
        undo
      </button>
      <button type="button" title="Ctrl-Y" disabled={!bench.canRedo.value} onClick={bench.redo}>
        redo
      </button>
      <button
        type="button"
        title="Makes one octet another, at random"
        onClick={() => {
          const edited = flipOctet(bench.packet.value.bytes, random())
          bench.edit(edited, `octet ${edited.offset} was changed at random`)
        }}
      >
        flip a byte
      </button>
      <DialogButton page={page} dialog="build">
        build
      </DialogButton>
      <DialogButton page={page} dialog="compare">
        compare
      </DialogButton>
      <ExportMenu bench={bench} />
    </div>
  )
}
