//! A client of the event stream.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::Value;

/// Longer than anything comes on a busy machine; another database's open
/// transaction holds the feed back too.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What came, up to an empty line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Block {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) data: String,
    pub(crate) retry: String,
    pub(crate) comment: String,
}

impl Block {
    fn read(text: &str) -> Self {
        let mut block = Self::default();
        for line in text.lines() {
            let (field, value) = line.split_once(':').unwrap();
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match field {
                "" => block.comment = value,
                "id" => block.id = value,
                "event" => block.event = value,
                "data" => block.data = value,
                "retry" => block.retry = value,
                other => panic!("{other} is no field of an event"),
            }
        }
        block
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

pub(crate) struct Follower {
    pub(crate) response: Response,
    text: String,
    blocks: VecDeque<Block>,
    /// The last id that came: where to go on from.
    pub(crate) last: String,
}

impl Follower {
    /// Follows `{base}/v1/stream{query}`, from `last` on if it is not empty.
    pub(crate) async fn new(
        client: &Client,
        base: &str,
        token: &str,
        query: &str,
        last: &str,
    ) -> Self {
        let mut request = client
            .get(format!("{base}/v1/stream{query}"))
            .bearer_auth(token);
        if !last.is_empty() {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
            blocks: VecDeque::new(),
            last: last.to_owned(),
        }
    }

    /// The next block, or `None` at the stream's end.
    pub(crate) async fn next_block(&mut self) -> Option<Block> {
        loop {
            if let Some(block) = self.blocks.pop_front() {
                if !block.id.is_empty() {
                    self.last.clone_from(&block.id);
                }
                return Some(block);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.unwrap().unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                self.blocks.push_back(Block::read(block));
                let rest = rest.to_owned();
                self.text = rest;
            }
        }
    }

    /// The next event, past heartbeats and the opening.
    pub(crate) async fn next(&mut self) -> Option<Block> {
        loop {
            let block = self.next_block().await?;
            if !block.event.is_empty() {
                return Some(block);
            }
        }
    }

    /// All events up to the one of this kind.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Block> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await.unwrap();
            let last = event.event == kind;
            events.push(event);
            if last {
                return events;
            }
        }
    }
}
