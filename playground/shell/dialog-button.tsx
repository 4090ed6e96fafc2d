import type { ComponentChildren } from "preact"
import type { DialogName, PageState } from "./page-state.ts"

interface DialogButtonProps {
  readonly page: PageState
  readonly dialog: DialogName
  readonly children: ComponentChildren
}

/** A button that opens one of the page's dialogues. */
export const DialogButton = ({ page, dialog, children }: DialogButtonProps) => (
  <button
    type="button"
    aria-haspopup="dialog"
    onClick={() => {
      page.dialog.value = dialog
    }}
  >
    {children}
  </button>
)
