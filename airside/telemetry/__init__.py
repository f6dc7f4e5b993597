"""What operators see of the roles and services at work: metrics, and traces where wanted."""
