//! Awaiting what nothing announces, such as a row that another process writes.

use std::time::Duration;

const POLL: Duration = Duration::from_millis(20);

/// The answer of a check: has it come about, and with what value.
pub trait Settled {
    /// What is handed on once it has.
    type Value;

    /// `None` while it has not.
    fn settled(self) -> Option<Self::Value>;
}

impl Settled for bool {
    type Value = ();

    fn settled(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Settled for Option<T> {
    type Value = T;

    fn settled(self) -> Option<T> {
        self
    }
}

/// Asks `check` again and again until it answers `true` or `Some(value)`.
///
/// ```
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let three = testkit::eventually(Duration::from_secs(5), async || Some(3)).await;
/// assert_eq!(three, 3);
/// # }
/// ```
///
/// # Panics
///
/// After `timeout`, naming it; the panic's backtrace names the test.
pub async fn eventually<A: Settled>(
    timeout: Duration,
    mut check: impl AsyncFnMut() -> A,
) -> A::Value {
    let settled = async {
        loop {
            if let Some(value) = check().await.settled() {
                return value;
            }
            tokio::time::sleep(POLL).await;
        }
    };
    let in_time = tokio::time::timeout(timeout, settled).await;
    in_time.unwrap_or_else(|_| panic!("what was awaited did not come about within {timeout:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_asks_until_the_answer_is_yes() {
        let mut asked = 0;
        eventually(Duration::from_secs(5), async || {
            asked += 1;
            asked == 3
        })
        .await;
        assert_eq!(asked, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "did not come about within 50ms")]
    async fn it_gives_up_in_time() {
        eventually(Duration::from_millis(50), async || false).await;
    }
}
