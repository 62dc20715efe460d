"""The list of jobs, one for every page that has some: runs, teachers', evaluations. What a row says is the page's business."""
