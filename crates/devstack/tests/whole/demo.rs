use devstack::demo::Demo;

use crate::Whole;

#[tokio::test]
#[ignore = "slow: ./scripts/test --all"]
async fn every_case_of_the_demo_ends_as_it_must() {
    let whole = Whole::start(|options| options).await;
    let report = Demo::new(&whole.stack, "plain").play().await;
    assert!(report.all_as_expected(), "{report}");
    whole.stack.stop().await;
}
