"""The training page: runs, their curves while they are drawn, and the dialog that starts one."""
