//! Several cases at once, in the order in which they were given.

use std::cell::Cell;

use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream;
use serde_json::Value;

use super::case::{Case, CaseReport, Ending};
use crate::run::stop::Stop;

/// One that runs a case, and tells `watch` of the events of its runs.
pub trait Runner {
    /// Runs it to its end.
    fn run<'a>(&'a self, case: &'a Case, watch: &'a dyn Fn(&Value)) -> LocalBoxFuture<'a, CaseReport>;
}

/// One that watches a suite. Cases are named by their place in it.
pub trait Watcher {
    /// The case begins.
    fn began(&self, case: usize);
    /// Something happened in one of its runs: a line of `events.jsonl`.
    fn event(&self, case: usize, event: &Value);
    /// The case ended; this is what is known of all of them now.
    fn ended(&self, case: usize, reports: &[CaseReport]);
}

/// How many at once, and until when.
#[derive(Debug, Clone)]
pub struct Queue {
    /// How many cases run at once; at least 1.
    pub jobs: usize,
    /// After a case that did not end as expected, no other begins.
    pub fail_fast: bool,
    /// One has failed already, before any was begun.
    pub failed_before: bool,
    /// Somebody wants the suite to end early.
    pub interrupt: Stop,
}

impl Queue {
    /// Runs the cases; the reports are in their order.
    pub async fn run(&self, cases: &[Case], runner: &dyn Runner, watcher: &dyn Watcher) -> Vec<CaseReport> {
        let mut reports: Vec<CaseReport> =
            cases.iter().map(|case| CaseReport::not_run(case, "its turn has not come")).collect();
        let has_failed = Cell::new(self.failed_before);
        let one = |(place, case)| {
            let has_failed = &has_failed;
            async move {
                if self.interrupt.is_stopped() {
                    return (place, CaseReport::not_run(case, "the suite was interrupted"), false);
                }
                if self.fail_fast && has_failed.get() {
                    return (place, CaseReport::not_run(case, "another scenario had failed"), false);
                }
                watcher.began(place);
                let report = runner.run(case, &|event| watcher.event(place, event)).await;
                has_failed.set(has_failed.get() || report.ending() != Ending::Expected);
                (place, report, true)
            }
        };
        let mut running = stream::iter(cases.iter().enumerate()).map(one).buffer_unordered(self.jobs.max(1));
        while let Some((place, report, was_run)) = running.next().await {
            reports[place] = report;
            if was_run {
                watcher.ended(place, &reports);
            }
        }
        drop(running);
        reports
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::path::Path;
    use std::time::Duration;

    use futures::FutureExt;

    use super::*;
    use crate::exit::Exit;
    use crate::run::stop::stop;
    use crate::scenario::file::ScenarioFile;

    /// A case takes as many seconds as its seed says; one of an odd seed fails.
    struct Sleeper;

    impl Runner for Sleeper {
        fn run<'a>(&'a self, case: &'a Case, _watch: &'a dyn Fn(&Value)) -> LocalBoxFuture<'a, CaseReport> {
            async move {
                tokio::time::sleep(Duration::from_secs(case.seed)).await;
                let exit = if case.seed % 2 == 1 { Exit::Violated } else { Exit::Expected };
                CaseReport::ended(case, exit, 1.0, Vec::new())
            }
            .boxed_local()
        }
    }

    #[derive(Default)]
    struct Diary(RefCell<Vec<String>>);

    impl Watcher for Diary {
        fn began(&self, case: usize) {
            self.0.borrow_mut().push(format!("+{case}"));
        }
        fn event(&self, _case: usize, _event: &Value) {}
        fn ended(&self, case: usize, _reports: &[CaseReport]) {
            self.0.borrow_mut().push(format!("-{case}"));
        }
    }

    fn cases(seeds: &[u64]) -> Vec<Case> {
        let text = "version: 1\nname: calm\nworkload: { kind: conversation }\nrun: { duration: 10s }\nchecks: [linearizable]\n";
        let file = ScenarioFile::parse(Path::new("calm.yaml"), text, &[]).unwrap();
        seeds.iter().map(|seed| Case { file: file.clone(), seed: *seed }).collect()
    }

    async fn run(seeds: &[u64], jobs: usize, fail_fast: bool) -> (String, Vec<Ending>) {
        let (_stopper, interrupt) = stop();
        let diary = Diary::default();
        let queue = Queue { jobs, fail_fast, failed_before: false, interrupt };
        let reports = queue.run(&cases(seeds), &Sleeper, &diary).await;
        (diary.0.into_inner().join(" "), reports.iter().map(CaseReport::ending).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_run_at_once_as_was_said_and_reports_are_in_order() {
        use Ending::{Expected, Violated};
        assert_eq!(run(&[4, 3, 2], 1, false).await.0, "+0 -0 +1 -1 +2 -2");
        let (diary, endings) = run(&[6, 3, 2], 2, false).await;
        assert_eq!(diary, "+0 +1 -1 +2 -2 -0");
        assert_eq!(endings, [Expected, Violated, Expected]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_nothing_begins_if_so_wished_but_what_runs_ends() {
        let (diary, endings) = run(&[6, 3, 2], 2, true).await;
        assert_eq!(diary, "+0 +1 -1 -0");
        assert_eq!(endings, [Ending::Expected, Ending::Violated, Ending::NotRun]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_an_interrupt_nothing_begins() {
        let (stopper, interrupt) = stop();
        stopper.stop();
        let (queue, diary) =
            (Queue { jobs: 1, fail_fast: false, failed_before: false, interrupt }, Diary::default());
        let reports = queue.run(&cases(&[2]), &Sleeper, &diary).await;
        assert_eq!(
            (diary.0.into_inner().len(), reports[0].reason().as_str()),
            (0, "the suite was interrupted")
        );
    }
}
