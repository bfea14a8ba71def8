/** Where pages are written if nobody says it: in the working directory, and in the sandbox of an executor. */
export const REPORT_DIRECTORY = 'thermos-report';

/** The directory of the pages of tasks: with it, addresses are those of Aurora's observer, /task/ID. */
export const TASK_PAGES = 'task';

/** The names of the files of a report. */
export const REPORT_FILES = {
  page: 'index.html',
  text: 'report.txt',
  script: 'report.js',
  trace: 'trace.json',
} as const;
