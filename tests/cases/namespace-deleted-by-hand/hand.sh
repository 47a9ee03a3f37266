ip netns delete RED; sleep 0.5
